/** Branches of XA transactions in MySQL and MariaDB: XA START, XA PREPARE, then XA COMMIT or XA ROLLBACK. */
import { setTimeout } from 'node:timers/promises';
import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { BranchRef } from '../../participants/call.ts';
import { driverCodeOf } from '../driver-error.ts';
import { parseTables, runAndKeep, type TableOptions } from '../sql-barrier.ts';
import { checkRolledBack, makeXid, parseXid, readFirstAnswer, type XaResource, xaRow } from '../xa-resource.ts';
import { mysqlDialect } from './mysql-statements.ts';

const xidBytesMax = 64;

/**
 * A MySQL or MariaDB database as part of XA transactions; it needs the barrier's tables. The first phase occupies a connection
 * of the pool, which is closed afterwards where the server does not detach prepared branches from their connection (MariaDB,
 * MySQL before 8.0.29). The name of a branch has at most 64 bytes, so a gid has at most about 60.
 */
export function mysqlXa(pool: Pool, options: TableOptions = {}): XaResource<PoolConnection> {
  const dialect = mysqlDialect(pool, parseTables(options));
  // In an XA transaction the server itself refuses every statement that would end it.
  const inXa = { ...dialect, checkOpen: async () => {} };
  const detaches = memoize(() => detachesOnPrepare(pool));

  /** Ends a branch; one that is not there has ended. Where connections hold branches, looking for it takes a privilege. */
  async function end(verb: XaEnd['verb'], call: BranchRef): Promise<void> {
    const statement = { verb, xid: makeXid(call, xidBytesMax) };
    await ((await detaches()) ? tryToEnd(pool, statement) : endWhenFree(pool, statement));
  }

  return {
    async prepare(call, work, register) {
      const xid = quote(makeXid(call, xidBytesMax));
      const reusable = await detaches();
      const connection = await pool.getConnection();
      let known = false;
      try {
        await connection.query(`XA START ${xid}`);
        const done = await beginWork(connection);
        await connection.query(`XA END ${xid}`);
        await connection.query(`XA ${done.prepare ? 'PREPARE' : 'ROLLBACK'} ${xid}`);
        known = reusable || !done.prepare;
        return done.result;
      } catch (error) {
        known = await connection
          .query(`XA END ${xid}`)
          .catch(() => {}) // XA END has been done, or the failed statement has ended the branch.
          .then(() => connection.query(`XA ROLLBACK ${xid}`))
          .then(
            () => true,
            () => false,
          );
        throw error;
      } finally {
        // Closing a connection rolls back its branch, unless that is prepared.
        if (known) connection.release();
        else connection.destroy();
      }

      async function beginWork(tx: PoolConnection) {
        const row = xaRow(call, 'action');
        const found = await dialect.writeSoon(tx, { row, begins: true });
        if (found !== null) return { prepare: false, result: readFirstAnswer(call, found) as Awaited<ReturnType<typeof work>> };
        const result = (await runAndKeep(inXa, tx, { row, work })) as Awaited<ReturnType<typeof work>>;
        await register();
        return { prepare: true, result };
      }
    },
    commit: (call) => end('COMMIT', call),
    async rollback(call) {
      await end('ROLLBACK', call);
      // Fails after a while where the first phase is under way; stops one that has not begun.
      const row = xaRow(call, 'rollback');
      checkRolledBack(call, await dialect.transaction((tx) => dialect.writeSoon(tx, { row, begins: false })));
    },
    prepared: async () => (await listPreparedXids(pool)).flatMap((xid) => parseXid(xid) ?? []),
  };
}

/**
 * How long to wait until the server has noticed that the connection which held the branch is closed; till then no other can end
 * it.
 */
const freeWithinMs = 2_000;
const lookAgainMs = 20;

async function endWhenFree(pool: Pool, statement: XaEnd): Promise<void> {
  const giveUpAt = performance.now() + freeWithinMs;
  while (!(await tryToEnd(pool, statement)) && (await listPreparedXids(pool)).includes(statement.xid)) {
    if (performance.now() > giveUpAt)
      throw new Error(`the branch ${statement.xid} is held by the connection that has prepared it`);
    await setTimeout(lookAgainMs);
  }
}

interface XaEnd {
  readonly verb: 'COMMIT' | 'ROLLBACK';
  readonly xid: string;
}

/** Ends a branch. @returns false: there is no such branch, or another connection holds it */
async function tryToEnd(pool: Pool, { verb, xid }: XaEnd): Promise<boolean> {
  try {
    await pool.query(`XA ${verb} ${quote(xid)}`);
    return true;
  } catch (error) {
    if (driverCodeOf(error) !== 'ER_XAER_NOTA') throw error;
    return false;
  }
}

interface RecoveredBranch extends RowDataPacket {
  readonly gtrid_length: number;
  readonly data: string | Buffer;
}

async function listPreparedXids(pool: Pool): Promise<readonly string[]> {
  const [rows] = await pool.query<RecoveredBranch[]>('XA RECOVER');
  return rows.map(({ data, gtrid_length: bytes }) =>
    Buffer.from(data as string)
      .subarray(0, bytes)
      .toString(),
  );
}

/** Whether the server detaches a prepared branch from its connection at once. */
async function detachesOnPrepare(pool: Pool): Promise<boolean> {
  const [rows] = await pool.query<RowDataPacket[]>("SHOW VARIABLES LIKE 'xa_detach_on_prepare'");
  return rows[0]?.['Value'] === 'ON';
}

function memoize<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let known: Promise<Value> | null = null;
  return () => {
    known ??= read().catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  };
}

/** Writes the bytes as a literal that needs no escaping, because these statements take no parameters. */
function quote(xid: string): string {
  return `X'${Buffer.from(xid).toString('hex')}'`;
}
