/** The barrier in an SQL database over a network. Postgres and MySQL differ in a few statements, which their dialects have. */

import type { BranchRef } from '../participants/call.ts';
import {
  type BarrierRow,
  type BranchKey,
  checkCall,
  checkCommitted,
  decideEntrance,
  type Entrance,
  type FoundRow,
  givenUpRow,
  lockWaitSeconds,
  serializeResult,
  type TableBarrier,
  underWayError,
  type Writing,
} from './barrier-rows.ts';

/** What differs between databases and their drivers. */
export interface SqlDialect<Tx> {
  /**
   * Runs work in one transaction on one connection. It is committed when the work returns, and rolled back when it throws. A
   * connection in an unknown state is closed instead of given back to the pool.
   */
  transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
  /** Writes a row, unless one with its key is there. @returns the row that was there; null: the new one was written */
  write(tx: Tx, writing: Writing): Promise<FoundRow | null>;
  /** As `write`, but waits at most 3 s for a transaction that has written the row and not ended. @throws LockTimeout */
  writeSoon(tx: Tx, writing: Writing): Promise<FoundRow | null>;
  /** @throws Error when the work has ended its transaction by itself, so that its later changes stood outside */
  checkOpen(tx: Tx): Promise<void>;
  /** Keeps what the work of a row has returned. @returns false: the row that says that the work has begun is not there */
  keep(tx: Tx, row: BranchKey, json: string): Promise<boolean>;
  /** Creates the tables that are missing. */
  createTable(): Promise<void>;
}

/** Another transaction has written the row and has not ended in time. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout';

  constructor(cause: unknown) {
    super(`another transaction holds the lock of the row and has not ended within ${lockWaitSeconds} s`, { cause });
  }
}

/** Where the barrier's tables are. */
export interface TableOptions {
  /**
   * The table's name, with its schema or database. Default `dtm_barrier.barrier`, as in DTM's clients. The table of results has
   * the same name with `_result` at its end.
   */
  readonly table?: string;
}

/** The names of the two tables. */
export interface Tables {
  readonly barrier: string;
  readonly results: string;
}

/** Reads the names of the tables. @throws TypeError when a name could not stand in a statement */
export function parseTables({ table = 'dtm_barrier.barrier' }: TableOptions): Tables {
  if (/^([a-z_]\w{0,55}\.)?[a-z_]\w{0,55}$/i.test(table)) return { barrier: table, results: `${table}_result` };
  throw new TypeError(`table is ${JSON.stringify(table)}; must be a name such as dtm_barrier.barrier, each part at most 56 long`);
}

/** Makes the barrier of a dialect. */
export function sqlBarrier<Tx>(dialect: SqlDialect<Tx>): TableBarrier<Tx> {
  return {
    async run<Result>(call: BranchRef, work: (tx: Tx) => Result | Promise<Result>, { barrierId = '01' } = {}) {
      checkCall(call, { barrierId });
      const answer = await dialect.transaction(async (tx) => {
        const entered = await enter(dialect, tx, { call, barrierId });
        return entered.row === null ? entered.answer : runAndKeep(dialect, tx, { row: entered.row, work });
      });
      return answer as Result | undefined;
    },
    async queryPrepared(call) {
      checkCall(call);
      const row = givenUpRow(call);
      checkCommitted(row, await dialect.transaction((tx) => giveUp(dialect, tx, row)));
    },
    createTable: () => dialect.createTable(),
  };
}

async function enter<Tx>(
  dialect: SqlDialect<Tx>,
  tx: Tx,
  { call, barrierId }: { readonly call: BranchRef; readonly barrierId: string },
): Promise<Entrance> {
  const rows = decideEntrance(call, barrierId);
  let step = rows.next();
  while (step.done !== true) step = rows.next(await dialect.write(tx, step.value));
  return step.value;
}

/** Runs the work of a row that is written, and keeps its result. @returns the result as JSON brings it back */
export async function runAndKeep<Tx>(
  dialect: SqlDialect<Tx>,
  tx: Tx,
  { row, work }: { readonly row: BarrierRow; readonly work: (tx: Tx) => unknown },
): Promise<unknown> {
  const { json, result } = serializeResult(await work(tx), row);
  await dialect.checkOpen(tx);
  if (await dialect.keep(tx, row, json)) return result;
  throw new Error('the row that says that the work has begun is gone');
}

/** Gives up a message. @returns the row that was there before */
async function giveUp<Tx>(dialect: SqlDialect<Tx>, tx: Tx, row: BarrierRow): Promise<FoundRow | null> {
  try {
    return await dialect.writeSoon(tx, { row, begins: false });
  } catch (error) {
    throw error instanceof LockTimeout ? underWayError(row.gid, error) : error;
  }
}

/** A row as the values of a statement, in the order of the columns. */
export function valuesOf({ transType, gid, branchId, op, barrierId, reason }: BarrierRow): string[] {
  return [transType, gid, branchId, op, barrierId, reason];
}

/** The key of a row, in the order of the columns. */
export function keyValuesOf({ gid, branchId, op, barrierId }: BranchKey): string[] {
  return [gid, branchId, op, barrierId];
}

/** A row of both tables as it is read: texts, or their bytes where the columns are binary. */
export interface SelectedRow {
  readonly gid: unknown;
  readonly branch_id: unknown;
  readonly op: unknown;
  readonly barrier_id: unknown;
  readonly reason: unknown;
  /** The gid of the row in our own table; null: it has none. */
  readonly known: unknown;
  readonly result: unknown;
}

/** Reads a selected row. @throws Error when there is none, although the statement before found one in its way */
export function readFoundRow(row: SelectedRow | undefined): FoundRow {
  if (row === undefined) throw new Error("the barrier's row could not be written and is not there");
  const [gid, branchId, op, barrierId, reason] = [row.gid, row.branch_id, row.op, row.barrier_id, row.reason].map(String);
  return { gid, branchId, op, barrierId, reason, work: workOf(row) } as FoundRow;
}

function workOf({ known, result }: SelectedRow): FoundRow['work'] {
  if (known === null) return 'unknown';
  return result === null ? 'begun' : { result: String(result) };
}

/** Makes the error of a table that is not there. */
export function missingTableError({ barrier, results }: Tables, cause: unknown): Error {
  return new Error(`the barrier needs the tables ${barrier} and ${results}: createTable() makes those that are missing`, {
    cause,
  });
}
