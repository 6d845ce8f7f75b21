/** Transactions on one connection of a pool. */
import type { Pool, PoolClient } from 'pg';

/**
 * Runs work between BEGIN and an end.
 * @param end the statement that keeps the work, and the word with which Postgres confirms it
 * @throws whatever the work throws, after a rollback; an error when Postgres rolled back although it was to keep the work
 */
export async function postgresTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
  end: { readonly sql: string; readonly confirmedBy: string } = commit,
): Promise<Result> {
  const client = await pool.connect();
  // A connection that breaks while nothing is asked of it would otherwise end the process.
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
    // After an error that the work has swallowed, Postgres answers COMMIT with ROLLBACK, without an error.
    if (command !== end.confirmedBy) throw new Error(swallowed);
    return result.value;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

const commit = { sql: 'COMMIT', confirmedBy: 'COMMIT' } as const;

/** It goes with the transaction that it was made in. */
const savepoint = 'amends_barrier';
const swallowed = 'Postgres rolled back: a statement had failed, and its error was not passed on';

/** invalid_savepoint_specification, no_active_sql_transaction. */
const endedBefore: ReadonlySet<unknown> = new Set(['3B001', '25P01']);
/** in_failed_sql_transaction. */
const failedBefore = '25P02';

/**
 * Makes sure that the transaction is still the one which was begun, and can be kept. Once for each, when its work is done.
 * @throws Error when the work has ended it by itself, or one of its statements has failed
 */
export async function checkStillOpen(client: PoolClient): Promise<void> {
  try {
    await client.query(`RELEASE SAVEPOINT ${savepoint}`);
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
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
