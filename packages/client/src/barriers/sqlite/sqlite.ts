/** The barrier in SQLite, by the driver `better-sqlite3`: makes repeated, early and late calls harmless. */

import type { BranchRef } from '../../participants/call.ts';
import {
  type Barrier,
  type BarrierOptions,
  checkCall,
  checkCommitted,
  type Entrance,
  entrance,
  type FoundRow,
  givingUp,
  lockWaitSeconds,
  resultOf,
  stillUnderWay,
  type Writing,
} from '../barrier-rows.ts';
import { foundRow, keyOf, type SelectedRow, valuesOf } from '../sql-barrier.ts';
import { mustBeSqliteHandle } from './sqlite-handle.ts';

/** What the barrier needs of a better-sqlite3 database. */
export interface LocalDatabase {
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: string[]): { readonly changes: number }; get(...values: string[]): unknown };
  transaction<Result>(work: () => Result): { immediate(): Result };
}

/** A result that is there when the handler returns; a promise is none. */
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
 * `barrier` does so by itself.
 */
export function createBarrierTable(db: LocalDatabase): void {
  mustBeSqliteHandle(db);
  db.exec(tables);
}

/**
 * Runs a handler behind the barrier, in one transaction of the database with the barrier's row.
 * @param handler changes this database, and only this; synchronous, because the database is
 * @returns what the handler returns, as JSON brings it back, however often the call comes; undefined: there is nothing to undo,
 * or another program has written the row
 * @throws TypeError when `db` is not a handle of better-sqlite3. NotJson. NeedsAttention: a human has to look
 * @throws whatever the handler throws; then nothing is changed and the same call may come again
 */
export function barrier<Result>(
  db: LocalDatabase,
  call: BranchRef,
  handler: () => Synchronous<Result>,
  { barrierId = '01' }: BarrierOptions = {},
): Result | undefined {
  return behind(db, call, handler, barrierId) as Result | undefined;
}

/** The barrier in a SQLite database, as messages take it; work is synchronous here too. */
export function sqliteBarrier<Database extends LocalDatabase>(db: Database): Barrier<Database> {
  return {
    async run<Result>(
      call: BranchRef,
      work: (tx: Database) => Result | Promise<Result>,
      { barrierId = '01' }: BarrierOptions = {},
    ) {
      return behind(db, call, () => work(db), barrierId) as Result | undefined;
    },
    async queryPrepared(call) {
      checkCall(call);
      const row = givingUp(call);
      const { write } = tableIn(db);
      checkCommitted(
        row,
        waitingBriefly(db, row.gid, () => db.transaction(() => write({ row, begins: false })).immediate()),
      );
    },
  };
}

function behind(db: LocalDatabase, call: BranchRef, work: () => unknown, barrierId: string): unknown {
  checkCall(call, { barrierId });
  mustBeSqliteHandle(db);
  if (db.inTransaction) throw new Error('the barrier begins a transaction of its own, but the database is in one already');
  const table = tableIn(db);
  return db.transaction(() => entered(table, call, { barrierId, work: () => orEndedBefore(db, work) })).immediate();
}

function entered(
  { write, keep }: BarrierTable,
  call: BranchRef,
  { barrierId, work }: { readonly barrierId: string; readonly work: () => unknown },
): unknown {
  const entrance = enter(call, barrierId, write);
  if (entrance.row === null) return entrance.answer;
  const { json, result } = resultOf(work(), entrance.row);
  keep(entrance.row, json);
  return result;
}

/** The savepoint goes with the transaction that it was made in. */
function orEndedBefore<Result>(db: LocalDatabase, work: () => Result): Result {
  db.exec('SAVEPOINT amends_barrier');
  const result = synchronous(work());
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

/** While SQLite waits for a lock nothing else runs in this process. @throws Ongoing when another holds it for too long */
function waitingBriefly<Result>(db: LocalDatabase, gid: string, work: () => Result): Result {
  const { timeout } = db.prepare('PRAGMA busy_timeout').get() as { readonly timeout: number };
  db.exec(`PRAGMA busy_timeout = ${Math.min(timeout, lockWaitSeconds * 1000)}`);
  try {
    return work();
  } catch (error) {
    throw (error as { readonly code?: unknown }).code === 'SQLITE_BUSY' ? stillUnderWay(gid, error) : error;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${timeout}`);
  }
}

interface BarrierTable {
  /** Writes a row where there is none of its key. @returns what is there already; null: it was written */
  write(writing: Writing): FoundRow | null;
  /** Says what the work of a row has returned. */
  keep(row: Writing['row'], json: string): void;
}

const opened = new WeakMap<LocalDatabase, BarrierTable>();

function tableIn(db: LocalDatabase): BarrierTable {
  const known = opened.get(db);
  if (known !== undefined) return known;
  createBarrierTable(db);
  const table = barrierTable(db);
  opened.set(db, table);
  return table;
}

function barrierTable(db: LocalDatabase): BarrierTable {
  const [inserting, beginning, reading, keeping] = [insert, begin, select, update].map((sql) => db.prepare(sql)) as [
    Statement,
    Statement,
    Statement,
    Statement,
  ];
  return {
    write({ row, begins }) {
      if (inserting.run(...valuesOf(row)).changes === 0)
        return foundRow(reading.get(...keyOf(row), ...keyOf(row)) as SelectedRow | undefined);
      if (begins) beginning.run(...keyOf(row));
      return null;
    },
    keep: (row, json) => void keeping.run(json, ...keyOf(row)),
  };
}

type Statement = ReturnType<LocalDatabase['prepare']>;

/** Writes the rows. */
function enter(call: BranchRef, barrierId: string, write: BarrierTable['write']): Entrance {
  const rows = entrance(call, barrierId);
  let step = rows.next();
  while (step.done !== true) step = rows.next(write(step.value));
  return step.value;
}

/** Refuses a promise: what it does later would happen outside the transaction. */
function synchronous<Result>(result: Result): Result {
  if (typeof (result as PromiseLike<unknown> | undefined | null)?.then !== 'function') return result;
  Promise.resolve(result).catch(() => {}); // The refusal below is the news; nobody is left to hear the other.
  throw new TypeError(
    'the handler behind the barrier returned a promise: the transaction would end before it does. Everything is rolled back; make the handler synchronous, and do what takes time before the barrier',
  );
}
