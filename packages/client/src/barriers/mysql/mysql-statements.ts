/** The barrier's tables and statements in MySQL and MariaDB. Values are parameters of prepared statements. */
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { type BarrierRow, type FoundRow, lockWaitSeconds, type Writing } from '../barrier-rows.ts';
import { driverCodeOf } from '../driver-error.ts';
import {
  keyValuesOf,
  LockTimeout,
  missingTableError,
  readFoundRow,
  type SelectedRow,
  type SqlDialect,
  type Tables,
  valuesOf,
} from '../sql-barrier.ts';

/** Makes the dialect of MySQL and MariaDB. */
export function mysqlDialect(pool: Pool, tables: Tables): SqlDialect<PoolConnection> {
  const { barrier, results } = tables;
  const key = 'gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?';
  const insert = `INSERT IGNORE INTO ${barrier} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES (?, ?, ?, ?, ?, ?)`;
  const begin = `INSERT INTO ${results} (gid, branch_id, op, barrier_id) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE result = NULL`;
  // A locking read sees what is committed now, and takes no snapshot: the first statement of the work does.
  const select = `SELECT b.gid, b.branch_id, b.op, b.barrier_id, b.reason, r.gid AS known, r.result
    FROM ${barrier} b LEFT JOIN ${results} r ON r.gid = ? AND r.branch_id = ? AND r.op = ? AND r.barrier_id = ?
    WHERE b.gid = ? AND b.branch_id = ? AND b.op = ? AND b.barrier_id = ? LOCK IN SHARE MODE`;
  const update = `UPDATE ${results} SET result = ? WHERE ${key}`;

  async function write(connection: PoolConnection, writing: Writing): Promise<FoundRow | null> {
    try {
      return await writeRow(connection, writing);
    } catch (error) {
      throw driverCodeOf(error) === 'ER_NO_SUCH_TABLE' ? missingTableError(tables, error) : error;
    }
  }

  async function writeRow(connection: PoolConnection, { row, begins }: Writing): Promise<FoundRow | null> {
    const [{ affectedRows, warningStatus }] = await connection.execute<ResultSetHeader>(insert, valuesOf(row));
    if (affectedRows === 0) {
      const [rows] = await connection.execute<(SelectedRow & RowDataPacket)[]>(select, [
        ...keyValuesOf(row),
        ...keyValuesOf(row),
      ]);
      return readFoundRow(rows[0]);
    }
    if (warningStatus > 0) throw changedRowError(barrier, row);
    if (begins) await connection.execute(begin, keyValuesOf(row));
    return null;
  }

  return {
    transaction: (work) => runMysqlTransaction(pool, work),
    write,
    async writeSoon(connection, writing) {
      await connection.query(`SET SESSION innodb_lock_wait_timeout = ${lockWaitSeconds}`);
      try {
        return await write(connection, writing);
      } catch (error) {
        throw driverCodeOf(error) === 'ER_LOCK_WAIT_TIMEOUT' ? new LockTimeout(error) : error;
      } finally {
        await connection.query('SET SESSION innodb_lock_wait_timeout = DEFAULT');
      }
    },
    checkOpen: checkStillOpen,
    async keep(connection, row, json) {
      const [{ affectedRows }] = await connection.execute<ResultSetHeader>(update, [json, ...keyValuesOf(row)]);
      return affectedRows === 1;
    },
    createTable: () => createTables(pool, tables),
  };
}

/** Makes the error of a row that the table changed: `INSERT IGNORE` only warns of values that do not fit. */
function changedRowError(table: string, { gid }: BarrierRow): Error {
  return new Error(`the table ${table} cannot hold the row of ${gid} as it is: make it as createTable() does`);
}

async function runMysqlTransaction<Result>(pool: Pool, work: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
  const connection = await pool.getConnection();
  let known = false;
  try {
    await connection.beginTransaction();
    await connection.query('SAVEPOINT amends_barrier');
    const result = await work(connection).catch(async (error: unknown) => {
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
}

/**
 * Checks that the transaction is the one that was begun, whose savepoint ends with it. After a deadlock MySQL has rolled back
 * everything, and after a statement such as CREATE TABLE it has committed; what followed stood outside of any transaction.
 */
async function checkStillOpen(connection: PoolConnection): Promise<void> {
  try {
    await connection.query('RELEASE SAVEPOINT amends_barrier');
  } catch (cause) {
    if (driverCodeOf(cause) !== 'ER_SP_DOES_NOT_EXIST') throw cause;
    throw new Error(
      'the transaction behind the barrier was ended before its time: by a statement that commits by itself, or by a deadlock whose error was not passed on',
      { cause },
    );
  }
}

/** Creates only what is missing, because `CREATE … IF NOT EXISTS` takes the right to create even where all is there. */
async function createTables(pool: Pool, { barrier, results }: Tables): Promise<void> {
  const [isBarrierThere, isResultsThere] = [await tableExists(pool, barrier), await tableExists(pool, results)];
  if (isBarrierThere && isResultsThere) return;
  const [database = '', table] = barrier.split('.');
  if (table !== undefined && !(await schemaExists(pool, database)))
    await pool.query(`CREATE DATABASE IF NOT EXISTS ${database} DEFAULT CHARACTER SET utf8mb4`);
  const collation = await findExactCollation(pool);
  if (!isBarrierThere) await pool.query(barrierTable(barrier, collation));
  if (!isResultsThere) await pool.query(resultTable(results, collation));
}

async function tableExists(pool: Pool, table: string): Promise<boolean> {
  const [schema, name] = table.includes('.') ? table.split('.') : [null, table];
  const select = 'SELECT 1 FROM information_schema.tables WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?';
  return (await pool.execute<RowDataPacket[]>(select, [schema ?? null, name ?? null]))[0].length > 0;
}

async function schemaExists(pool: Pool, name: string): Promise<boolean> {
  const select = 'SELECT 1 FROM information_schema.schemata WHERE schema_name = ?';
  return (await pool.execute<RowDataPacket[]>(select, [name]))[0].length > 0;
}

/**
 * Finds the collation that compares bytes and does not pad, which MariaDB and MySQL name differently. Older servers get the one
 * that pads; it serves too, because keys with white space at their ends are refused.
 */
async function findExactCollation(pool: Pool): Promise<string> {
  const select = `SELECT collation_name AS name FROM information_schema.collations
    WHERE collation_name IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')`;
  const [rows] = await pool.query<({ name: string } & RowDataPacket)[]>(select);
  return rows[0]?.name ?? 'utf8mb4_bin';
}

function barrierTable(table: string, collation: string): string {
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
  ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = ${collation}`;
}

function resultTable(table: string, collation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
    gid varchar(128) NOT NULL,
    branch_id varchar(128) NOT NULL,
    op varchar(45) NOT NULL,
    barrier_id varchar(45) NOT NULL,
    result longtext COMMENT 'JSON; null: the work has begun; empty: it is done and has returned nothing',
    create_time datetime DEFAULT now(),
    PRIMARY KEY (gid, branch_id, op, barrier_id),
    KEY (create_time)
  ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = ${collation}`;
}
