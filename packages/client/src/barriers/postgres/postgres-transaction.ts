/** Postgres transactions on one connection of a pool. */
import type { Pool, PoolClient } from 'pg';
import { driverCodeOf } from '../driver-error.ts';

/**
 * Runs work in a transaction.
 * @param end the statement that commits or prepares it, and the word by which Postgres confirms that
 * @throws whatever the work throws, after a rollback; Error when Postgres rolled back instead of keeping the work
 */
export async function runPostgresTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
  end: { readonly sql: string; readonly confirmedBy: string } = commit,
): Promise<Result> {
  const client = await pool.connect();
  // Without a listener, a connection that breaks while it is idle would end the process.
  const ignore = () => {};
  client.on('error', ignore);
  let broken = true;
  try {
    await client.query(`BEGIN; SAVEPOINT ${savepoint}`);
    const result = await workOrRollBack(client, work);
    if (result.failed) broken = !result.rolledBack;
    if (result.failed) throw result.error;
    const { command } = await client.query(end.sql);
    broken = false;
    // When the work has swallowed an error, Postgres answers COMMIT with ROLLBACK, without an error.
    if (command !== end.confirmedBy) throw new Error(swallowed);
    return result.value;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

const commit = { sql: 'COMMIT', confirmedBy: 'COMMIT' } as const;

/** A savepoint ends with its transaction, so it tells whether that is still the same. */
const savepoint = 'amends_barrier';
const swallowed = 'Postgres rolled back: a statement had failed, and its error was not passed on';

/** invalid_savepoint_specification, no_active_sql_transaction. */
const endedBefore: ReadonlySet<unknown> = new Set(['3B001', '25P01']);
/** in_failed_sql_transaction. */
const failedBefore = '25P02';

/**
 * Checks, once the work is done, that the transaction is the one that was begun and can be committed.
 * @throws Error when the work has ended it by itself, or one of its statements has failed
 */
export async function checkStillOpen(client: PoolClient): Promise<void> {
  try {
    await client.query(`RELEASE SAVEPOINT ${savepoint}`);
  } catch (cause) {
    const code = driverCodeOf(cause);
    if (code === failedBefore) throw new Error(swallowed, { cause });
    if (!endedBefore.has(code)) throw cause;
    throw new Error('the transaction behind the barrier was ended before its time: by a COMMIT or ROLLBACK of the work itself', {
      cause,
    });
  }
}

type Worked<Result> =
  | { readonly failed: false; readonly value: Result }
  | { readonly failed: true; readonly error: unknown; readonly rolledBack: boolean };

async function workOrRollBack<Result>(
  client: PoolClient,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Worked<Result>> {
  try {
    return { failed: false, value: await work(client) };
  } catch (error) {
    const rolledBack = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
    return { failed: true, error, rolledBack };
  }
}
