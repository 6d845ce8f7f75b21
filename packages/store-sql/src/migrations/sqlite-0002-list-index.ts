/**
 * One index for lists with any filter, in place of two that served some. Released: never edit, add a migration instead.
 *
 * A list is merged from a few runs of it, each in the order of lists: see `list-query.ts`.
 */
export const sql = `
CREATE INDEX tx_list ON tx (mode, status, (hold IS NOT NULL), created_at, gid);
DROP INDEX tx_status;
DROP INDEX tx_held;
`;
