/** The barrier in SQLite, by the driver `better-sqlite3`. */

import type { BranchRef } from '../../participants/call.ts';
import {
  type Barrier,
  type BarrierOptions,
  checkCall,
  checkCommitted,
  decideEntrance,
  type Entrance,
  type FoundRow,
  givenUpRow,
  lockWaitSeconds,
  serializeResult,
  underWayError,
  type Writing,
} from '../barrier-rows.ts';
import { driverCodeOf } from '../driver-error.ts';
import { keyValuesOf, readFoundRow, type SelectedRow, valuesOf } from '../sql-barrier.ts';
import { mustBeSqliteHandle } from './sqlite-handle.ts';

/** A database of better-sqlite3, as far as the barrier uses it. */
export interface LocalDatabase {
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: string[]): { readonly changes: number }; get(...values: string[]): unknown };
  transaction<Result>(work: () => Result): { immediate(): Result };
}

/** The type of a result that is no promise. */
export type Synchronous<Result> = Result extends PromiseLike<unknown> ? never : Result;

const tables = `CREATE TABLE IF NOT EXISTS dtm_barrier (
  id INTEGER PRIMARY KEY,
  trans_type VARCHAR(45) NOT NULL,
  gid VARCHAR(128) NOT NULL,
  branch_id VARCHAR(128) NOT NULL,
  op VARCHAR(45) NOT NULL,
  barrier_id VARCHAR(45) NOT NULL,
  reason VARCHAR(45) NOT NULL,
  create_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  update_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (gid, branch_id, op, barrier_id)
);
CREATE TABLE IF NOT EXISTS dtm_barrier_result (
  gid TEXT NOT NULL,
  branch_id TEXT NOT NULL,
  op TEXT NOT NULL,
  barrier_id TEXT NOT NULL,
  result TEXT, -- JSON; null: the work has begun; empty: it is done and has returned nothing
  create_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (gid, branch_id, op, barrier_id)
)`;

const key = 'gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?';
const insert = `INSERT INTO dtm_barrier (trans_type, gid, branch_id, op, barrier_id, reason) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING`;
const begin = 'INSERT OR REPLACE INTO dtm_barrier_result (gid, branch_id, op, barrier_id) VALUES (?, ?, ?, ?)';
const select = `SELECT b.gid, b.branch_id, b.op, b.barrier_id, b.reason, r.gid AS known, r.result
  FROM (SELECT * FROM dtm_barrier WHERE ${key}) b LEFT JOIN (SELECT * FROM dtm_barrier_result WHERE ${key}) r`;
const update = `UPDATE dtm_barrier_result SET result = ? WHERE ${key}`;

/**
 * Creates the barrier's tables where they are missing: `dtm_barrier`, with DTM's columns, and `dtm_barrier_result` of our own.
 * `barrier` calls this by itself.
 */
export function createBarrierTable(db: LocalDatabase): void {
  mustBeSqliteHandle(db);
  db.exec(tables);
}

/**
 * Runs a handler behind the barrier, in one transaction of the database with the barrier's row.
 * @param handler changes this database, and only this; synchronous, because the database is
 * @returns what the handler returned in the first call, as JSON brings it back; undefined: there is nothing to undo, or another
 * program has written the row
 * @throws TypeError when `db` is not a handle of better-sqlite3. NotJson. NeedsAttention: a human has to look
 * @throws whatever the handler throws; then nothing is changed and the same call may come again
 */
export function barrier<Result>(
  db: LocalDatabase,
  call: BranchRef,
  handler: () => Synchronous<Result>,
  { barrierId = '01' }: BarrierOptions = {},
): Result | undefined {
  return runBehind(db, call, handler, barrierId) as Result | undefined;
}

/** The barrier in a SQLite database, as messages take it; work is synchronous here too. */
export function sqliteBarrier<Database extends LocalDatabase>(db: Database): Barrier<Database> {
  return {
    async run<Result>(
      call: BranchRef,
      work: (tx: Database) => Result | Promise<Result>,
      { barrierId = '01' }: BarrierOptions = {},
    ) {
      return runBehind(db, call, () => work(db), barrierId) as Result | undefined;
    },
    async queryPrepared(call) {
      checkCall(call);
      const row = givenUpRow(call);
      const { write } = openTable(db);
      checkCommitted(
        row,
        waitBriefly(db, row.gid, () => db.transaction(() => write({ row, begins: false })).immediate()),
      );
    },
  };
}

function runBehind(db: LocalDatabase, call: BranchRef, work: () => unknown, barrierId: string): unknown {
  checkCall(call, { barrierId });
  mustBeSqliteHandle(db);
  if (db.inTransaction) throw new Error('the barrier begins a transaction of its own, but the database is in one already');
  const table = openTable(db);
  return db.transaction(() => enterAndRun(table, call, { barrierId, work: () => runInSavepoint(db, work) })).immediate();
}

function enterAndRun(
  { write, keep }: BarrierTable,
  call: BranchRef,
  { barrierId, work }: { readonly barrierId: string; readonly work: () => unknown },
): unknown {
  const entrance = enter(call, barrierId, write);
  if (entrance.row === null) return entrance.answer;
  const { json, result } = serializeResult(work(), entrance.row);
  keep(entrance.row, json);
  return result;
}

/** Runs work in a savepoint, which ends with its transaction, so that a COMMIT of the work itself is noticed. */
function runInSavepoint<Result>(db: LocalDatabase, work: () => Result): Result {
  db.exec('SAVEPOINT amends_barrier');
  const result = refusePromise(work());
  try {
    db.exec('RELEASE amends_barrier');
  } catch (cause) {
    throw new Error(
      'the transaction behind the barrier was ended before its time: the handler has run a COMMIT or ROLLBACK itself',
      {
        cause,
      },
    );
  }
  return result;
}

/**
 * Runs work that waits for a lock at most 3 s, because nothing else runs in this process meanwhile. @throws Ongoing after that
 */
function waitBriefly<Result>(db: LocalDatabase, gid: string, work: () => Result): Result {
  const { timeout } = db.prepare('PRAGMA busy_timeout').get() as { readonly timeout: number };
  db.exec(`PRAGMA busy_timeout = ${Math.min(timeout, lockWaitSeconds * 1000)}`);
  try {
    return work();
  } catch (error) {
    throw driverCodeOf(error) === 'SQLITE_BUSY' ? underWayError(gid, error) : error;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${timeout}`);
  }
}

/** The tables of a barrier, with their statements prepared. */
interface BarrierTable {
  /** Writes a row, unless one with its key is there. @returns the row that was there; null: the new one was written */
  write(writing: Writing): FoundRow | null;
  /** Keeps what the work of a row has returned. */
  keep(row: Writing['row'], json: string): void;
}

const opened = new WeakMap<LocalDatabase, BarrierTable>();

function openTable(db: LocalDatabase): BarrierTable {
  const known = opened.get(db);
  if (known !== undefined) return known;
  createBarrierTable(db);
  const table = prepareTable(db);
  opened.set(db, table);
  return table;
}

function prepareTable(db: LocalDatabase): BarrierTable {
  const [inserting, beginning, reading, keeping] = [insert, begin, select, update].map((sql) => db.prepare(sql)) as [
    Statement,
    Statement,
    Statement,
    Statement,
  ];
  return {
    write({ row, begins }) {
      if (inserting.run(...valuesOf(row)).changes === 0)
        return readFoundRow(reading.get(...keyValuesOf(row), ...keyValuesOf(row)) as SelectedRow | undefined);
      if (begins) beginning.run(...keyValuesOf(row));
      return null;
    },
    keep: (row, json) => void keeping.run(json, ...keyValuesOf(row)),
  };
}

type Statement = ReturnType<LocalDatabase['prepare']>;

function enter(call: BranchRef, barrierId: string, write: BarrierTable['write']): Entrance {
  const rows = decideEntrance(call, barrierId);
  let step = rows.next();
  while (step.done !== true) step = rows.next(write(step.value));
  return step.value;
}

/** Refuses a promise, because its later changes would stand outside the transaction. */
function refusePromise<Result>(result: Result): Result {
  if (typeof (result as PromiseLike<unknown> | undefined | null)?.then !== 'function') return result;
  Promise.resolve(result).catch(() => {}); // A rejection would be unhandled; the error below is what the caller gets.
  throw new TypeError(
    'the handler behind the barrier returned a promise: the transaction would end before it does. Everything is rolled back; make the handler synchronous, and do what takes time before the barrier',
  );
}
