/**
 * Which file this is, and how many database transactions it has seen. Released: never edit, add a migration instead.
 */
export const sql = `
ALTER TABLE clock ADD COLUMN store TEXT NOT NULL DEFAULT '';
ALTER TABLE clock ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
UPDATE clock SET store = lower(hex(randomblob(16)));
`;
