/** The barrier in SQLite, by the driver `better-sqlite3`: makes repeated, early and late calls harmless. */
import {
  type Barrier,
  type BarrierOptions,
  type BarrierRow,
  checkCall,
  checkCommitted,
  entrance,
  givingUp,
} from './barrier-rows.ts';
import type { BranchRef } from './call.ts';
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

const select = 'SELECT reason FROM dtm_barrier WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?';

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
      const { insert, reasonOf } = tableIn(db);
      const row = givingUp(call);
      const ask = () => {
        insert(row);
        return reasonOf(row);
      };
      checkCommitted(call.gid, db.transaction(ask).immediate());
    },
  };
}

function behind(db: LocalDatabase, call: BranchRef, work: () => unknown, barrierId: string): unknown {
  checkCall(call, { barrierId });
  mustBeSqliteHandle(db);
  if (db.inTransaction) throw new Error('the barrier begins a transaction of its own, but the database is in one already');
  const { insert } = tableIn(db);
  return db.transaction(() => (enter(call, barrierId, insert) ? synchronous(work()) : undefined)).immediate();
}

/** What the barrier does in its table. */
interface BarrierTable {
  /** Writes a row where there is none of its key. @returns true: it was written */
  insert(row: BarrierRow): boolean;
  /** The reason in the row of the same key; null: there is none. */
  reasonOf(row: BarrierRow): string | null;
}

const tables = new WeakMap<LocalDatabase, BarrierTable>();

function tableIn(db: LocalDatabase): BarrierTable {
  const known = tables.get(db);
  if (known !== undefined) return known;
  createBarrierTable(db);
  const inserting = db.prepare(insert);
  const reading = db.prepare(select);
  const opened: BarrierTable = {
    insert: ({ transType, gid, branchId, op, barrierId, reason }) =>
      inserting.run(transType, gid, branchId, op, barrierId, reason).changes > 0,
    reasonOf: ({ gid, branchId, op, barrierId }) =>
      (reading.get(gid, branchId, op, barrierId) as { readonly reason: string } | undefined)?.reason ?? null,
  };
  tables.set(db, opened);
  return opened;
}

/** Writes the rows; true: the business may run. */
function enter(call: BranchRef, barrierId: string, insert: BarrierTable['insert']): boolean {
  const rows = entrance(call, barrierId);
  let step = rows.next();
  while (step.done !== true) step = rows.next(insert(step.value));
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
