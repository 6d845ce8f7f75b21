/** The barrier's table and statements in MySQL and MariaDB. */
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { keyOf, type SqlDialect, valuesOf } from './sql-barrier.ts';

/** The statements of the barrier. */
export function mysqlDialect(pool: Pool, table: string): SqlDialect<PoolConnection> {
  const insert = `INSERT IGNORE INTO ${table} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES (?, ?, ?, ?, ?, ?)`;
  const select = `SELECT reason FROM ${table} WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?`;
  return {
    transaction: (work) => transaction(pool, work),
    async insert(connection, row) {
      const [{ affectedRows }] = await connection.query<ResultSetHeader>(insert, valuesOf(row));
      return affectedRows === 1;
    },
    async reasonOf(connection, row) {
      const [rows] = await connection.query<RowDataPacket[]>(select, keyOf(row));
      return (rows[0]?.['reason'] as string | undefined) ?? null;
    },
    async createTable() {
      const [database] = table.includes('.') ? table.split('.') : [];
      if (database !== undefined) await pool.query(`CREATE DATABASE IF NOT EXISTS ${database} DEFAULT CHARACTER SET utf8mb4`);
      await pool.query(tableOf(table));
    },
  };
}

async function transaction<Result>(pool: Pool, work: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
  const connection = await pool.getConnection();
  let known = false;
  try {
    await connection.beginTransaction();
    await connection.query('SAVEPOINT amends_barrier');
    const result = await workAndCheck().catch(async (error: unknown) => {
      known = await connection.rollback().then(
        () => true,
        () => false,
      );
      throw error;
    });
    await connection.commit();
    known = true;
    return result;
  } finally {
    if (known) connection.release();
    else connection.destroy();
  }

  async function workAndCheck(): Promise<Result> {
    const result = await work(connection);
    await checkStillOpen(connection);
    return result;
  }
}

/**
 * After a deadlock MySQL has rolled back everything, and after a statement such as CREATE TABLE it has committed: what followed
 * stood outside of any transaction. The savepoint goes with the transaction that it was made in.
 */
async function checkStillOpen(connection: PoolConnection): Promise<void> {
  try {
    await connection.query('RELEASE SAVEPOINT amends_barrier');
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code !== 'ER_SP_DOES_NOT_EXIST') throw cause;
    throw new Error(
      'the transaction behind the barrier was ended before its time: by a statement that commits by itself, or by a deadlock whose error was not passed on',
      { cause },
    );
  }
}

/** Gids that differ in case only are different: so the columns compare bytes. */
function tableOf(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
    id bigint(22) PRIMARY KEY AUTO_INCREMENT,
    trans_type varchar(45) DEFAULT '',
    gid varchar(128) DEFAULT '',
    branch_id varchar(128) DEFAULT '',
    op varchar(45) DEFAULT '',
    barrier_id varchar(45) DEFAULT '',
    reason varchar(45) DEFAULT '' COMMENT 'the op that inserted this row',
    create_time datetime DEFAULT now(),
    update_time datetime DEFAULT now(),
    KEY (create_time),
    KEY (update_time),
    UNIQUE KEY (gid, branch_id, op, barrier_id)
  ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin`;
}
