/** Branches of XA transactions in Postgres: PREPARE TRANSACTION, then COMMIT PREPARED or ROLLBACK PREPARED. */
import type { Pool, PoolClient } from 'pg';
import { driverCodeOf } from '../driver-error.ts';
import { parseTables, runAndKeep, type TableOptions } from '../sql-barrier.ts';
import { checkRolledBack, makeXid, parseXid, readFirstAnswer, type XaResource, xaRow } from '../xa-resource.ts';
import { postgresDialect } from './postgres-statements.ts';
import { runPostgresTransaction } from './postgres-transaction.ts';

const xidBytesMax = 199;

/** Thrown to roll back where nothing is to be prepared, because the work was done before. */
class Skipped extends Error {
  readonly answer: unknown;
  constructor(answer: unknown) {
    super('the work has been done before');
    this.answer = answer;
  }
}

/**
 * A Postgres database as part of XA transactions. The server needs `max_prepared_transactions` above zero, and the barrier's
 * tables. The two phases may use different connections of the pool.
 */
export function postgresXa(pool: Pool, options: TableOptions = {}): XaResource<PoolClient> {
  const dialect = postgresDialect(pool, parseTables(options));
  return {
    async prepare(call, work, register) {
      const prepare = `PREPARE TRANSACTION ${quote(makeXid(call, xidBytesMax))}`;
      const row = xaRow(call, 'action');
      const phase = async (client: PoolClient) => {
        const found = await dialect.writeSoon(client, { row, begins: true });
        if (found !== null) throw new Skipped(readFirstAnswer(call, found));
        const result = (await runAndKeep(dialect, client, { row, work })) as Awaited<ReturnType<typeof work>>;
        await register();
        return result;
      };
      try {
        return await runPostgresTransaction(pool, phase, { sql: prepare, confirmedBy: 'PREPARE' });
      } catch (error) {
        if (error instanceof Skipped) return error.answer as Awaited<ReturnType<typeof work>>;
        throw error;
      }
    },
    commit: (call) => endPrepared(pool, `COMMIT PREPARED ${quote(makeXid(call, xidBytesMax))}`),
    async rollback(call) {
      await endPrepared(pool, `ROLLBACK PREPARED ${quote(makeXid(call, xidBytesMax))}`);
      // Fails after a while where the first phase is under way; stops one that has not begun.
      const row = xaRow(call, 'rollback');
      checkRolledBack(call, await dialect.transaction((client) => dialect.writeSoon(client, { row, begins: false })));
    },
    async prepared() {
      const listed = 'SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared';
      const { rows } = await pool.query<{ gid: string }>(listed);
      return rows.flatMap(({ gid }) => parseXid(gid) ?? []);
    },
  };
}

/** undefined_object: there is no prepared transaction of that name. */
const doesNotExist = '42704';

async function endPrepared(pool: Pool, statement: string): Promise<void> {
  try {
    await pool.query(statement);
  } catch (error) {
    if (driverCodeOf(error) !== doesNotExist) throw error;
  }
}

/** Writes a text as a literal with codes for all unusual characters, because these statements take no parameters. */
function quote(text: string): string {
  const coded = text.replace(/[^\w-]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return ` E'${coded}'`;
}
