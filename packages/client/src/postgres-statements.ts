/** The barrier's table and statements in Postgres. */
import type { Pool, PoolClient } from 'pg';
import type { BarrierRow } from './barrier-rows.ts';
import { postgresTransaction } from './postgres-transaction.ts';
import { keyOf, type SqlDialect, valuesOf } from './sql-barrier.ts';

/** The statements of the barrier. */
export function postgresDialect(pool: Pool, table: string): SqlDialect<PoolClient> {
  const key = 'gid = $1 AND branch_id = $2 AND op = $3 AND barrier_id = $4';
  const insert = `INSERT INTO ${table} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING`;
  return {
    transaction: (work) => postgresTransaction(pool, work),
    async insert(client, row: BarrierRow) {
      return (await client.query(insert, valuesOf(row))).rowCount === 1;
    },
    async reasonOf(client, row) {
      const { rows } = await client.query<{ reason: string }>(`SELECT reason FROM ${table} WHERE ${key}`, keyOf(row));
      return rows[0]?.reason ?? null;
    },
    createTable: () =>
      postgresTransaction(pool, async (client) => {
        // Two that create at the same time would collide in the catalogue.
        await client.query(`SELECT pg_advisory_xact_lock(hashtext('amends ${table}'))`);
        await client.query(tableOf(table));
      }),
  };
}

function tableOf(table: string): string {
  const [schema, name] = table.includes('.') ? table.split('.') : [null, table];
  const prefix = schema === null ? '' : `${schema}.`;
  return `${schema === null ? '' : `CREATE SCHEMA IF NOT EXISTS ${schema};`}
    CREATE SEQUENCE IF NOT EXISTS ${prefix}${name}_seq;
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
      CONSTRAINT uniq_${name} UNIQUE (gid, branch_id, op, barrier_id)
    )`;
}
