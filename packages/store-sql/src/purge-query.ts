/**
 * What may be deleted: merged from stretches of the index `tx_list`, one for each mode, oldest first. Nothing finishes before
 * it is created, so each stretch ends at the moment; what is skipped in it was created before and finished after.
 */
import { modes } from '@amends/core';
import type { PurgeRequest } from '@amends/store';
import type { SqlQuery } from './sql-session.ts';

const oldestFirst = 'ORDER BY created_at, gid';
const run = `SELECT * FROM (SELECT created_at, gid FROM tx WHERE mode = ? AND status = ? AND (hold IS NOT NULL) = 0
  AND created_at < ? AND finished_at < ? ${oldestFirst} LIMIT ?)`;
const sql = `SELECT gid FROM (${modes.map(() => run).join(' UNION ALL ')}) ${oldestFirst} LIMIT ?`;

/** The gids of one portion. */
export function purgeQuery({ status, finishedBefore, limit }: PurgeRequest): SqlQuery {
  const parameters = modes.flatMap((mode) => [mode, status, finishedBefore, finishedBefore, limit]);
  return { sql, parameters: [...parameters, limit] };
}
