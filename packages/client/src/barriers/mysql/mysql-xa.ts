/** Branches of XA transactions in MySQL and MariaDB: XA START, XA PREPARE, then XA COMMIT or XA ROLLBACK. */
import { setTimeout } from 'node:timers/promises';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { BranchRef } from '../../participants/call.ts';
import { keptResult, type TableOptions, tablesOf } from '../sql-barrier.ts';
import { answerOfFirst, branchOf, checkRolledBack, type XaResource, xaRow, xidOf } from '../xa-resource.ts';
import { mysqlDialect } from './mysql-statements.ts';

const xidBytesMax = 64;

/**
 * A MySQL or MariaDB database as part of XA transactions; it needs the barrier's tables. The first phase occupies a connection
 * of the pool; where the server does not set prepared branches free (MariaDB, MySQL before 8.0.29) it is closed afterwards.
 * The names of branches have 64 bytes, so gids up to about 60.
 */
export function mysqlXa(pool: Pool, options: TableOptions = {}): XaResource<PoolConnection> {
  const dialect = mysqlDialect(pool, tablesOf(options));
  // In an XA transaction the server refuses every statement that would end it.
  const inXa = { ...dialect, checkOpen: async () => {} };
  const detaches = remembered(() => setsFree(pool));

  /** What is not there counts as ended. Only where connections hold branches must it be looked for, which takes a privilege. */
  async function end(verb: XaEnd['verb'], call: BranchRef): Promise<void> {
    const statement = { verb, xid: xidOf(call, xidBytesMax) };
    await ((await detaches()) ? hasEnded(pool, statement) : endWhenFree(pool, statement));
  }

  return {
    async prepare(call, work, register) {
      const xid = quoted(xidOf(call, xidBytesMax));
      const reusable = await detaches();
      const connection = await pool.getConnection();
      let known = false;
      try {
        await connection.query(`XA START ${xid}`);
        const done = await begun(connection);
        await connection.query(`XA END ${xid}`);
        await connection.query(`XA ${done.prepare ? 'PREPARE' : 'ROLLBACK'} ${xid}`);
        known = reusable || !done.prepare;
        return done.result;
      } catch (error) {
        known = await connection
          .query(`XA END ${xid}`)
          .catch(() => {}) // It has ended, or the statement that failed has made it end.
          .then(() => connection.query(`XA ROLLBACK ${xid}`))
          .then(
            () => true,
            () => false,
          );
        throw error;
      } finally {
        // A connection that is closed before it has prepared takes its branch with it.
        if (known) connection.release();
        else connection.destroy();
      }

      async function begun(tx: PoolConnection) {
        const row = xaRow(call, 'action');
        const found = await dialect.writeSoon(tx, { row, begins: true });
        if (found !== null) return { prepare: false, result: answerOfFirst(call, found) as Awaited<ReturnType<typeof work>> };
        const result = (await keptResult(inXa, tx, { row, work })) as Awaited<ReturnType<typeof work>>;
        await register();
        return { prepare: true, result };
      }
    },
    commit: (call) => end('COMMIT', call),
    async rollback(call) {
      await end('ROLLBACK', call);
      // Waits for a first phase that is under way, and fails; stops one that has not begun.
      const row = xaRow(call, 'rollback');
      checkRolledBack(call, await dialect.transaction((tx) => dialect.writeSoon(tx, { row, begins: false })));
    },
    prepared: async () => (await preparedXids(pool)).flatMap((xid) => branchOf(xid) ?? []),
  };
}

/**
 * A branch that a connection still holds cannot be ended by another; it is free once the server has noticed the end of the first.
 */
const freeWithinMs = 2_000;
const lookAgainMs = 20;

async function endWhenFree(pool: Pool, statement: XaEnd): Promise<void> {
  const giveUpAt = performance.now() + freeWithinMs;
  while (!(await hasEnded(pool, statement)) && (await preparedXids(pool)).includes(statement.xid)) {
    if (performance.now() > giveUpAt)
      throw new Error(`the branch ${statement.xid} is held by the connection that has prepared it`);
    await setTimeout(lookAgainMs);
  }
}

interface XaEnd {
  readonly verb: 'COMMIT' | 'ROLLBACK';
  readonly xid: string;
}

/** false: there is no such branch, or another connection holds it. */
async function hasEnded(pool: Pool, { verb, xid }: XaEnd): Promise<boolean> {
  try {
    await pool.query(`XA ${verb} ${quoted(xid)}`);
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ER_XAER_NOTA') throw error;
    return false;
  }
}

interface RecoveredBranch extends RowDataPacket {
  readonly gtrid_length: number;
  readonly data: string | Buffer;
}

async function preparedXids(pool: Pool): Promise<readonly string[]> {
  const [rows] = await pool.query<RecoveredBranch[]>('XA RECOVER');
  return rows.map(({ data, gtrid_length: bytes }) =>
    Buffer.from(data as string)
      .subarray(0, bytes)
      .toString(),
  );
}

/** Whether a prepared branch leaves its connection at once. */
async function setsFree(pool: Pool): Promise<boolean> {
  const [rows] = await pool.query<RowDataPacket[]>("SHOW VARIABLES LIKE 'xa_detach_on_prepare'");
  return rows[0]?.['Value'] === 'ON';
}

function remembered<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let known: Promise<Value> | null = null;
  return () => {
    known ??= read().catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  };
}

/** The same bytes as a literal that needs no escaping; these statements take no parameters. */
function quoted(xid: string): string {
  return `X'${Buffer.from(xid).toString('hex')}'`;
}
