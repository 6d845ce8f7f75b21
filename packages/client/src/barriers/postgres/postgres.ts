/** Participants with a database in Postgres, by the driver `pg`: the barrier, and branches of XA transactions. */
import type { Pool, PoolClient } from 'pg';
import type { TableBarrier } from '../barrier-rows.ts';
import { parseTables, sqlBarrier, type TableOptions } from '../sql-barrier.ts';
import { postgresDialect } from './postgres-statements.ts';

export type { TableOptions } from '../sql-barrier.ts';
export { postgresXa } from './postgres-xa.ts';

/**
 * The barrier in a Postgres database. The work gets the connection that its transaction is on. Changes through other connections,
 * the pool's own `query` included, stand outside.
 */
export function postgresBarrier(pool: Pool, options: TableOptions = {}): TableBarrier<PoolClient> {
  return sqlBarrier(postgresDialect(pool, parseTables(options)));
}
