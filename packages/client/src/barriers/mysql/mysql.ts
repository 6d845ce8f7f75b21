/** Participants with a database in MySQL or MariaDB, by the driver `mysql2`: the barrier, and branches of XA transactions. */
import type { Pool, PoolConnection } from 'mysql2/promise';
import type { TableBarrier } from '../barrier-rows.ts';
import { parseTables, sqlBarrier, type TableOptions } from '../sql-barrier.ts';
import { mysqlDialect } from './mysql-statements.ts';

export type { TableOptions } from '../sql-barrier.ts';
export { mysqlXa } from './mysql-xa.ts';

/**
 * The barrier in a MySQL or MariaDB database, in tables with transactions (InnoDB). The work gets the connection that its
 * transaction is on. Changes through other connections, the pool's own `query` included, stand outside.
 */
export function mysqlBarrier(pool: Pool, options: TableOptions = {}): TableBarrier<PoolConnection> {
  return sqlBarrier(mysqlDialect(pool, parseTables(options)));
}
