/** Participants with a database in MySQL or MariaDB, by the driver `mysql2`: the barrier, and branches of XA transactions. */
import type { Pool, PoolConnection } from 'mysql2/promise';
import type { TableBarrier } from '../barrier-rows.ts';
import { sqlBarrier, type TableOptions, tablesOf } from '../sql-barrier.ts';
import { mysqlDialect } from './mysql-statements.ts';

export type { TableOptions } from '../sql-barrier.ts';
export { mysqlXa } from './mysql-xa.ts';

/**
 * The barrier in a MySQL or MariaDB database, in tables with transactions (InnoDB). Work gets the one connection that its
 * transaction is on; what is done through others, the pool's own `query` included, stands outside.
 */
export function mysqlBarrier(pool: Pool, options: TableOptions = {}): TableBarrier<PoolConnection> {
  return sqlBarrier(mysqlDialect(pool, tablesOf(options)));
}
