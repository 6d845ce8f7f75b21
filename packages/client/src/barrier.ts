/**
 * The barrier: makes repeated, early and late calls harmless. The row that says "this op of this branch has been here" and
 * the business change are committed together, so that one is never without the other.
 *
 * | call                        | row of the original op | row of its own | business |
 * | first action                | -                      | new            | runs     |
 * | repeated call               | -                      | there already  | skipped  |
 * | compensation of an action   | there already          | new            | runs     |
 * | compensation of nothing     | new                    | new            | skipped  |
 * | late action, after that     | -                      | there already  | skipped  |
 */
import type { BranchRef } from './call.ts';
import { mustBeSqliteHandle } from './sqlite-handle.ts';

/** What the barrier needs of a better-sqlite3 database. */
export interface LocalDatabase {
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): { run(...values: string[]): { readonly changes: number } };
  transaction<Result>(work: () => Result): { immediate(): Result };
}

/** A result that is there when the handler returns; a promise is none. */
export type Synchronous<Result> = Result extends PromiseLike<unknown> ? never : Result;

/** Which barrier of a call. */
export interface BarrierOptions {
  /**
   * Tells several barriers of one call apart: `01` (the default), `02`, …, as DTM's clients count them. An action and its
   * compensation must use the same ids.
   */
  readonly barrierId?: string;
}

const table = `CREATE TABLE IF NOT EXISTS dtm_barrier (
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
)`;

const insert = `INSERT INTO dtm_barrier (trans_type, gid, branch_id, op, barrier_id, reason) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING`;

/** The op that an op undoes. */
const originalOps: Readonly<Record<string, string>> = { compensate: 'action', cancel: 'try', rollback: 'action' };

/** Creates the barrier's table `dtm_barrier`, with DTM's columns, where it is missing. `barrier` does so by itself. */
export function createBarrierTable(db: LocalDatabase): void {
  mustBeSqliteHandle(db);
  db.exec(table);
}

/**
 * Runs a handler behind the barrier, in one transaction of the database with the barrier's row.
 * @param handler changes this database, and only this; synchronous, because the database is
 * @returns what the handler returns; undefined: skipped, because it has run before or there is nothing to undo
 * @throws TypeError when `db` is not a handle of better-sqlite3
 * @throws whatever the handler throws; then nothing is changed and the same call may come again
 */
export function barrier<Result>(
  db: LocalDatabase,
  call: BranchRef,
  handler: () => Synchronous<Result>,
  { barrierId = '01' }: BarrierOptions = {},
): Result | undefined {
  checkCall(call);
  mustBeSqliteHandle(db);
  if (db.inTransaction) throw new Error('the barrier begins a transaction of its own, but the database is in one already');
  const enter = entranceOf(db);
  const behind = () => (enter(call, barrierId) ? synchronous(handler()) : undefined);
  return db.transaction(behind).immediate();
}

type Enter = (call: BranchRef, barrierId: string) => boolean;

const entrances = new WeakMap<LocalDatabase, Enter>();

function entranceOf(db: LocalDatabase): Enter {
  const known = entrances.get(db);
  if (known !== undefined) return known;
  createBarrierTable(db);
  const enter = entranceBy(db.prepare(insert));
  entrances.set(db, enter);
  return enter;
}

/** Writes the rows; true: the business may run. */
function entranceBy(statement: ReturnType<LocalDatabase['prepare']>): Enter {
  return ({ transType, gid, branchId, op }, barrierId) => {
    const isNew = (of: string) => statement.run(transType, gid, branchId, of, barrierId, op).changes > 0;
    const original = originalOps[op];
    const nothingToUndo = original !== undefined && isNew(original);
    const first = isNew(op);
    if (!first && op === 'msg') throw new Error(`DUPLICATED: the message ${gid} has been written already`);
    return first && !nothingToUndo;
  };
}

function checkCall(call: BranchRef): void {
  for (const field of ['gid', 'transType', 'branchId', 'op'] as const) {
    if (typeof call[field] !== 'string' || call[field] === '') throw new TypeError(`the barrier needs ${field}, which is empty`);
  }
}

/** Refuses a promise: what it does later would happen outside the transaction. */
function synchronous<Result>(result: Result): Result {
  if (typeof (result as PromiseLike<unknown> | undefined | null)?.then !== 'function') return result;
  Promise.resolve(result).catch(() => {}); // The refusal below is the news; nobody is left to hear the other.
  throw new TypeError(
    'the handler behind the barrier returned a promise: the transaction would end before it does. Everything is rolled back; make the handler synchronous, and do what takes time before the barrier',
  );
}
