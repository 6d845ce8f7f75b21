/** Lists without a filter are merged from `tx_list` too: see `list-query.ts`. Released: never edit, add a migration instead. */
export const sql = `
DROP INDEX tx_created;
`;
