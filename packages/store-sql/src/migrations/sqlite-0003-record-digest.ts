/** What is recorded is checked when it is read, as specs are. Released: never edit, add a migration instead. */
export const sql = `
ALTER TABLE record ADD COLUMN digest TEXT CHECK (length(digest) = 64);
`;
