/** Branches of XA transactions in Postgres: PREPARE TRANSACTION, then COMMIT PREPARED or ROLLBACK PREPARED. */
import type { Pool, PoolClient } from 'pg';
import { keptResult, type TableOptions, tablesOf } from '../sql-barrier.ts';
import { answerOfFirst, branchOf, checkRolledBack, type XaResource, xaRow, xidOf } from '../xa-resource.ts';
import { postgresDialect } from './postgres-statements.ts';
import { postgresTransaction } from './postgres-transaction.ts';

const xidBytesMax = 199;

/** Nothing is prepared: it ends like any transaction. */
class Skipped extends Error {
  readonly answer: unknown;
  constructor(answer: unknown) {
    super('the work has been done before');
    this.answer = answer;
  }
}

/**
 * A Postgres database as part of XA transactions. The server needs `max_prepared_transactions` above zero, and the barrier's
 * tables. Any connection of the pool does, one for the first phase and one for the second.
 */
export function postgresXa(pool: Pool, options: TableOptions = {}): XaResource<PoolClient> {
  const dialect = postgresDialect(pool, tablesOf(options));
  return {
    async prepare(call, work, register) {
      const prepare = `PREPARE TRANSACTION ${quoted(xidOf(call, xidBytesMax))}`;
      const row = xaRow(call, 'action');
      const phase = async (client: PoolClient) => {
        const found = await dialect.writeSoon(client, { row, begins: true });
        if (found !== null) throw new Skipped(answerOfFirst(call, found));
        const result = (await keptResult(dialect, client, { row, work })) as Awaited<ReturnType<typeof work>>;
        await register();
        return result;
      };
      try {
        return await postgresTransaction(pool, phase, { sql: prepare, confirmedBy: 'PREPARE' });
      } catch (error) {
        if (error instanceof Skipped) return error.answer as Awaited<ReturnType<typeof work>>;
        throw error;
      }
    },
    commit: (call) => ended(pool, `COMMIT PREPARED ${quoted(xidOf(call, xidBytesMax))}`),
    async rollback(call) {
      await ended(pool, `ROLLBACK PREPARED ${quoted(xidOf(call, xidBytesMax))}`);
      // Waits for a first phase that is under way, and fails; stops one that has not begun.
      const row = xaRow(call, 'rollback');
      checkRolledBack(call, await dialect.transaction((client) => dialect.writeSoon(client, { row, begins: false })));
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

/** A literal of characters that need no escaping, and of codes for all others; these statements take no parameters. */
function quoted(text: string): string {
  const coded = text.replace(/[^\w-]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return ` E'${coded}'`;
}
