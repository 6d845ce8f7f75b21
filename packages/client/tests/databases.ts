/** Banks in the databases that participants use: accounts with cents, and every way to look at them. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createConnection, createPool, type Pool as MysqlPool, type PoolConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { TableBarrier } from '../src/barriers/barrier-rows.ts';
import { mysqlBarrier } from '../src/barriers/mysql/mysql.ts';
import { postgresBarrier } from '../src/barriers/postgres/postgres.ts';

/** One account, `ann`, with 100 cents at first. */
export interface Account<Tx, Pool> {
  readonly pool: Pool;
  readonly barrier: TableBarrier<Tx>;
  /** A barrier with another table. */
  barrierOf(table: string): TableBarrier<Tx>;
  /** Adds cents, or takes them; what is refused by the database is thrown. */
  move(tx: Tx, cents: number): Promise<void>;
  /** Makes a statement of the transaction fail. */
  spoil(tx: Tx): Promise<void>;
  /** Has the server cut the transaction's connection. */
  cut(tx: Tx): Promise<void>;
  /** Runs a statement that has no values. */
  statement(tx: Tx, sql: string): Promise<void>;
  /** Ends the transaction behind the back of whoever has begun it. */
  commit(tx: Tx): Promise<void>;
  /** Makes it look as if another program had written the rows of the barrier. */
  forgetResult(gid: string): Promise<void>;
  cents(): Promise<number>;
  /** `op/barrier id/reason` of each row of the barrier. */
  rows(gid: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A gid nobody else uses. */
export function freshGid(): string {
  return `test-${randomBytes(8).toString('hex')}`;
}

/** An account in a fresh database of a Postgres server, which goes with the server. */
export async function openPostgresAccount(url: string): Promise<Account<pg.PoolClient, pg.Pool>> {
  const database = freshGid().replace('-', '_');
  const server = new pg.Client(url);
  await server.connect();
  await server.query(`CREATE DATABASE ${database}`);
  const pool = new pg.Pool({ connectionString: new URL(database, url).href, max: 4 });
  await pool.query('CREATE TABLE account (name text PRIMARY KEY, cents int NOT NULL)');
  await pool.query(`INSERT INTO account VALUES ('ann', 100)`);
  const barrier = postgresBarrier(pool);
  await barrier.createTable();
  return {
    pool,
    barrier,
    barrierOf: (table) => postgresBarrier(pool, { table }),
    async move(client, cents) {
      await client.query(`UPDATE account SET cents = cents + $1 WHERE name = 'ann'`, [cents]);
    },
    async spoil(client) {
      await client.query('SELECT 1 / 0');
    },
    async cut(client) {
      await client.query('SELECT pg_terminate_backend(pg_backend_pid())');
    },
    async statement(client, sql) {
      await client.query(sql);
    },
    async commit(client) {
      await client.query('COMMIT');
    },
    async forgetResult(gid) {
      await pool.query('DELETE FROM dtm_barrier.barrier_result WHERE gid = $1', [gid]);
    },
    cents: async () => Number((await pool.query<{ cents: number }>('SELECT cents FROM account')).rows[0]!.cents),
    async rows(gid) {
      const select = `SELECT concat_ws('/', op, barrier_id, reason) AS line FROM dtm_barrier.barrier WHERE gid = $1 ORDER BY id`;
      return (await pool.query<{ line: string }>(select, [gid])).rows.map(({ line }) => line);
    },
    async close() {
      await pool.end();
      await server.end();
    },
  };
}

/** An account in a fresh database of a MariaDB server; the barrier's table has a database of its own, which all share. */
export async function openMysqlAccount(url: string): Promise<Account<PoolConnection, MysqlPool>> {
  const database = freshGid().replace('-', '_');
  const server = await createConnection(url);
  await server.query(`CREATE DATABASE ${database}`);
  const pool = createPool({ uri: new URL(database, url).href, connectionLimit: 4 });
  await pool.query('CREATE TABLE account (name varchar(20) PRIMARY KEY, cents int NOT NULL)');
  await pool.query(`INSERT INTO account VALUES ('ann', 100)`);
  const barrier = mysqlBarrier(pool);
  await barrier.createTable();
  const read = async <Row>(sql: string, values: string[] = []) => (await pool.execute<(Row & RowDataPacket)[]>(sql, values))[0];
  return {
    pool,
    barrier,
    barrierOf: (table) => mysqlBarrier(pool, { table }),
    async move(connection, cents) {
      await connection.execute(`UPDATE account SET cents = cents + ? WHERE name = 'ann'`, [cents]);
    },
    async spoil(connection) {
      await connection.query('SELECT no_such_column');
    },
    async cut(connection) {
      await connection.query('KILL CONNECTION_ID()');
    },
    async statement(connection, sql) {
      await connection.query(sql);
    },
    async commit(connection) {
      await connection.query('COMMIT');
    },
    async forgetResult(gid) {
      await pool.execute('DELETE FROM dtm_barrier.barrier_result WHERE gid = ?', [gid]);
    },
    cents: async () => (await read<{ cents: number }>('SELECT cents FROM account'))[0]!.cents,
    async rows(gid) {
      const select = `SELECT concat_ws('/', op, barrier_id, reason) AS line FROM dtm_barrier.barrier WHERE gid = ? ORDER BY id`;
      return (await read<{ line: string }>(select, [gid])).map(({ line }) => line);
    },
    async close() {
      await pool.end();
      await server.end();
    },
  };
}

/** A connection to Redis and a key of its own. */
export function openRedis(url: string): { readonly redis: Redis; readonly key: string; close(): Promise<unknown> } {
  const redis = new Redis(url);
  return { redis, key: `{${freshGid()}}-stock`, close: () => redis.quit() };
}
