/** The barrier's tables and statements in Postgres. */
import type { Pool, PoolClient } from 'pg';
import { type FoundRow, lockWaitSeconds, type Writing } from '../barrier-rows.ts';
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
import { checkStillOpen, runPostgresTransaction } from './postgres-transaction.ts';

/** Makes the dialect of Postgres. */
export function postgresDialect(pool: Pool, tables: Tables): SqlDialect<PoolClient> {
  const { barrier, results } = tables;
  const key = 'gid = $1 AND branch_id = $2 AND op = $3 AND barrier_id = $4';
  const insert = `INSERT INTO ${barrier} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING`;
  const begin = `WITH written AS (${insert} RETURNING gid, branch_id, op, barrier_id)
    INSERT INTO ${results} (gid, branch_id, op, barrier_id) SELECT gid, branch_id, op, barrier_id FROM written
    ON CONFLICT (gid, branch_id, op, barrier_id) DO UPDATE SET result = NULL`;
  const select = `SELECT b.gid, b.branch_id, b.op, b.barrier_id, b.reason, r.gid AS known, r.result
    FROM (SELECT * FROM ${barrier} WHERE ${key}) b LEFT JOIN (SELECT * FROM ${results} WHERE ${key}) r ON true`;
  const update = `UPDATE ${results} SET result = $5 WHERE ${key}`;

  async function write(client: PoolClient, { row, begins }: Writing): Promise<FoundRow | null> {
    const { rowCount } = await client.query(begins ? begin : insert, valuesOf(row)).catch((error: unknown) => {
      throw driverCodeOf(error) === undefinedTable ? missingTableError(tables, error) : error;
    });
    if (rowCount === 1) return null;
    return readFoundRow((await client.query<SelectedRow>(select, keyValuesOf(row))).rows[0]);
  }

  return {
    transaction: (work) => runPostgresTransaction(pool, work),
    write,
    async writeSoon(client, writing) {
      await client.query(`SET LOCAL lock_timeout = '${lockWaitSeconds}s'`);
      const found = await write(client, writing).catch((error: unknown) => {
        throw driverCodeOf(error) === lockNotAvailable ? new LockTimeout(error) : error;
      });
      await client.query('SET LOCAL lock_timeout TO DEFAULT');
      return found;
    },
    checkOpen: checkStillOpen,
    async keep(client, row, json) {
      const { rowCount } = await client.query(update, [...keyValuesOf(row), json]);
      return rowCount === 1;
    },
    createTable: () =>
      runPostgresTransaction(pool, async (client) => {
        if (await tablesExist(client, tables)) return;
        // Without the lock, two processes that create at the same time would collide in the catalogue.
        await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`amends ${barrier}`]);
        await createTables(client, tables);
      }),
  };
}

const lockNotAvailable = '55P03';
const undefinedTable = '42P01';

async function tablesExist(client: PoolClient, { barrier, results }: Tables): Promise<boolean> {
  const { rows } = await client.query<{ both: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AS both',
    [barrier, results],
  );
  return rows[0]!.both;
}

/** Creates only what is missing, because `CREATE … IF NOT EXISTS` takes the right to create even where all is there. */
async function createTables(client: PoolClient, { barrier, results }: Tables): Promise<void> {
  const { prefix, schema } = schemaOf(barrier);
  const { rows } = await client.query<{ schema: boolean; barrier: boolean; results: boolean; name: boolean }>(
    `SELECT to_regnamespace($1) IS NULL AS schema, to_regclass($2) IS NULL AS barrier, to_regclass($3) IS NULL AS results,
      to_regclass($4) IS NULL AS name`,
    [schema ?? 'public', barrier, results, `${prefix}${constraintOfDtm}`],
  );
  const missing = rows[0]!;
  if (schema !== null && missing.schema) await client.query(`CREATE SCHEMA ${schema}`);
  if (missing.barrier) await client.query(barrierTable(barrier, missing.name));
  if (missing.results) await client.query(resultTable(results));
}

/** The constraint that DTM's Go client names in its statements. A schema has room for one of that name. */
const constraintOfDtm = 'uniq_barrier';

function schemaOf(table: string): { readonly schema: string | null; readonly prefix: string; readonly name: string } {
  const [schema = '', name] = table.split('.');
  return name === undefined ? { schema: null, prefix: '', name: schema } : { schema, prefix: `${schema}.`, name };
}

function barrierTable(table: string, asDtm: boolean): string {
  const { prefix, name } = schemaOf(table);
  return `CREATE SEQUENCE IF NOT EXISTS ${prefix}${name}_seq;
    CREATE TABLE IF NOT EXISTS ${table} (
      id bigint PRIMARY KEY DEFAULT nextval('${prefix}${name}_seq'),
      trans_type varchar(45) DEFAULT '',
      gid varchar(128) DEFAULT '',
      branch_id varchar(128) DEFAULT '',
      op varchar(45) DEFAULT '',
      barrier_id varchar(45) DEFAULT '',
      reason varchar(45) DEFAULT '',
      create_time timestamp(0) with time zone DEFAULT now(),
      update_time timestamp(0) with time zone DEFAULT now(),
      CONSTRAINT ${asDtm ? constraintOfDtm : `uniq_${name}`} UNIQUE (gid, branch_id, op, barrier_id)
    )`;
}

/** A null result says that the work has begun; an empty one, that it is done and has returned nothing. */
function resultTable(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
      gid varchar(128) NOT NULL,
      branch_id varchar(128) NOT NULL,
      op varchar(45) NOT NULL,
      barrier_id varchar(45) NOT NULL,
      result text,
      create_time timestamp(0) with time zone DEFAULT now(),
      PRIMARY KEY (gid, branch_id, op, barrier_id)
    )`;
}
