/** Branches of XA transactions in Postgres: PREPARE TRANSACTION, then COMMIT PREPARED or ROLLBACK PREPARED. */
import type { Pool, PoolClient } from 'pg';
import { postgresDialect } from './postgres-statements.ts';
import { postgresTransaction } from './postgres-transaction.ts';
import { type TableOptions, tableNameOf } from './sql-barrier.ts';
import { branchOf, checkNotRolledBack, lockWaitSeconds, type XaResource, xaRow, xidOf } from './xa-resource.ts';

const xidBytesMax = 199;

/** Nothing is prepared: it ends like any transaction. */
class Skipped extends Error {}

/**
 * A Postgres database as part of XA transactions. The server needs `max_prepared_transactions` above zero, and the barrier's
 * table. Any connection of the pool does, one for the first phase and one for the second.
 */
export function postgresXa(pool: Pool, options: TableOptions = {}): XaResource<PoolClient> {
  const dialect = postgresDialect(pool, tableNameOf(options));
  const waitBriefly = `SET LOCAL lock_timeout = '${lockWaitSeconds}s'`;
  return {
    async prepare(call, work, register) {
      const prepare = `PREPARE TRANSACTION ${quoted(xidOf(call, xidBytesMax))}`;
      const row = xaRow(call, 'action');
      const phase = async (client: PoolClient) => {
        await client.query(waitBriefly);
        if (!(await dialect.insert(client, row))) {
          checkNotRolledBack(call, await dialect.reasonOf(client, row));
          throw new Skipped();
        }
        await client.query('SET LOCAL lock_timeout TO DEFAULT');
        const result = await work(client);
        await register();
        return result;
      };
      try {
        return await postgresTransaction(pool, phase, { sql: prepare, confirmedBy: 'PREPARE' });
      } catch (error) {
        if (error instanceof Skipped) return undefined;
        throw error;
      }
    },
    commit: (call) => ended(pool, `COMMIT PREPARED ${quoted(xidOf(call, xidBytesMax))}`),
    async rollback(call) {
      await ended(pool, `ROLLBACK PREPARED ${quoted(xidOf(call, xidBytesMax))}`);
      // Waits for a first phase that is under way, and fails; stops one that has not begun.
      await dialect.transaction(async (client) => {
        await client.query(waitBriefly);
        await dialect.insert(client, xaRow(call, 'rollback'));
      });
    },
    async prepared() {
      const listed = 'SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared';
      const { rows } = await pool.query<{ gid: string }>(listed);
      return rows.flatMap(({ gid }) => branchOf(gid) ?? []);
    },
  };
}

/** undefined_object: there is no prepared transaction of that name. */
const doesNotExist = '42704';

async function ended(pool: Pool, statement: string): Promise<void> {
  try {
    await pool.query(statement);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== doesNotExist) throw error;
  }
}

/** A literal, whatever `standard_conforming_strings` says; these statements take no parameters. */
function quoted(text: string): string {
  const doubled = text.replaceAll("'", "''").replaceAll('\\', '\\\\');
  return text.includes('\\') ? ` E'${doubled}'` : `'${doubled}'`;
}
