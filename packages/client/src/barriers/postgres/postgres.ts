/** Participants with a database in Postgres, by the driver `pg`: the barrier, and branches of XA transactions. */
import type { Pool, PoolClient } from 'pg';
import type { TableBarrier } from '../barrier-rows.ts';
import { sqlBarrier, type TableOptions, tablesOf } from '../sql-barrier.ts';
import { postgresDialect } from './postgres-statements.ts';

export type { TableOptions } from '../sql-barrier.ts';
export { postgresXa } from './postgres-xa.ts';

/**
 * The barrier in a Postgres database. Work gets the one connection that its transaction is on; what is done through others,
 * the pool's own `query` included, stands outside.
 */
export function postgresBarrier(pool: Pool, options: TableOptions = {}): TableBarrier<PoolClient> {
  return sqlBarrier(postgresDialect(pool, tablesOf(options)));
}
