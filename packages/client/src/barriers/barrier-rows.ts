/**
 * What every barrier does, whatever the database: which rows it writes, and what their being new says.
 *
 * Invariants, cited by tests:
 * BARRIER-1: The row that says "this op of this branch has been here" and the business change are committed together: one is
 *   never without the other.
 * BARRIER-2: Work runs once, however often its call comes, and each call gets the answer of the first.
 * BARRIER-3: Undoing what never came changes nothing, and what comes after its undoing does not run.
 * BARRIER-4: Work that was left in the middle is never taken for done, nor undone, before a human has looked.
 *
 * | call                        | row of the original op | row of its own | business |
 * | first action                | -                      | new            | runs     |
 * | repeated call               | -                      | there already  | skipped  |
 * | compensation of an action   | there already          | new            | runs     |
 * | compensation of nothing     | new                    | new            | skipped  |
 * | late action, after that     | -                      | there already  | skipped  |
 *
 * Table, keys and words are those of DTM's clients, so that services in several languages can share a database. Beside it, in
 * the same local transaction, a table of our own says for each row whose work we have run that it has begun, and then what it
 * returned: a repeated call gives the answer of the first, and work that was left in the middle is never taken for done.
 */
import { type BranchRef, idCharactersMax, wordCharactersMax } from '../participants/call.ts';
import { BusinessFailure, NeedsAttention, Ongoing } from '../participants/verdict.ts';
import { jsonOf, resultIn } from './kept-json.ts';

/** Which barrier of a call. */
export interface BarrierOptions {
  /**
   * Tells several barriers of one call apart: `01` (the default), `02`, …, as DTM's clients count them. An action and its
   * compensation must use the same ids.
   */
  readonly barrierId?: string;
}

/**
 * A barrier in a database. `Tx` is what the work uses to change it: what is done through it is there exactly once with the
 * barrier's row, or not at all.
 */
export interface Barrier<Tx> {
  /**
   * Runs work behind the barrier, in one local transaction with the barrier's row.
   * @returns what the work returns, as JSON brings it back, however often the call comes; undefined: there is nothing to undo, or
   * another program has written the row
   * @throws whatever the work throws; then nothing is changed and the same call may come again. `NotJson` likewise, when the
   * result cannot be kept. `DuplicatedMessage`. `NeedsAttention`: a human has to look
   */
  run<Result>(call: BranchRef, work: (tx: Tx) => Result | Promise<Result>, options?: BarrierOptions): Promise<Result | undefined>;
  /**
   * Answers a coordinator that asks whether a message's local transaction was committed. What was not by now never will be.
   * As a handler: `participant((call) => bank.queryPrepared(call))`.
   * @throws BusinessFailure when it was not. Ongoing: it is under way, and has been for the 3 s that this waits
   */
  queryPrepared(call: BranchRef): Promise<void>;
}

/** A barrier with tables: DTM's, and one of results beside it, whose name is the same with `_result` at its end. */
export interface TableBarrier<Tx> extends Barrier<Tx> {
  /** Creates the tables that are missing, which takes the right to; does nothing where both are there. */
  createTable(): Promise<void>;
}

/** A message's local transaction that has run already, or that a coordinator has given up: `queryPrepared` tells which. */
export class DuplicatedMessage extends Error {
  override readonly name = 'DuplicatedMessage';
}

/** A row of the barrier's table; the first four fields are unique together with `barrierId`. */
export interface BarrierRow extends BranchKey {
  readonly transType: string;
  /** The op that has written it. */
  readonly reason: string;
}

/** What rows of both tables are known by: byte for byte. */
export interface BranchKey {
  readonly gid: string;
  readonly branchId: string;
  readonly op: string;
  readonly barrierId: string;
}

/** A row that is there already. */
export interface FoundRow extends BranchKey {
  readonly reason: string;
  /**
   * What our own table says of the work. A result: it is done and has returned this JSON, or nothing where that is empty.
   * `begun`: its transaction has been ended before it was done. `unknown`: another program has written the row.
   */
  readonly work: 'begun' | 'unknown' | { readonly result: string };
}

/** A row to be written where there is none of its key. */
export interface Writing {
  readonly row: BarrierRow;
  /** Our own table is to say that the row's work has begun. */
  readonly begins: boolean;
}

/** What the rows say of a call: its work is to run and its result to be kept under `row`, or it is skipped. */
export type Entrance = { readonly row: BarrierRow } | { readonly row: null; readonly answer: unknown };

/** The op that an op undoes. */
export const originalOps: Readonly<Record<string, string>> = { compensate: 'action', cancel: 'try', rollback: 'action' };

/**
 * The algorithm. Yields the rows to write, wants to hear what is there already (null: nothing was, it is written), and returns
 * what that means. Synchronous and asynchronous databases drive it alike.
 * @throws DuplicatedMessage, NeedsAttention
 */
export function* entrance(call: BranchRef, barrierId: string): Generator<Writing, Entrance, FoundRow | null> {
  const rowOf = (op: string): BarrierRow => ({ ...keyOf(call), op, barrierId, transType: call.transType, reason: call.op });
  const original = originalOps[call.op];
  const undone = original === undefined ? undefined : yield { row: rowOf(original), begins: false };
  if (undone) checkFound(undone, rowOf(undone.op));
  const row = rowOf(call.op);
  const found = yield { row, begins: undone !== null };
  if (found !== null) return { row: null, answer: answerOf(found, { row, isWanted: call.answerWanted === true }) };
  return undone === null ? { row: null, answer: undefined } : { row };
}

/**
 * The answer of the call that has written a row.
 * @param isWanted it will be used: without one it stops
 * @throws DuplicatedMessage, NeedsAttention
 */
export function answerOf(found: FoundRow, { row, isWanted }: { readonly row: BarrierRow; readonly isWanted: boolean }): unknown {
  checkFound(found, row);
  if (row.op === 'msg') throw duplicated(row.gid);
  if (typeof found.work !== 'string') return resultIn(found.work.result);
  if (!isWanted) return undefined;
  if (found.reason !== row.op) throw new Error(`${nameOf(row)} comes too late: its ${found.reason} was here before it`);
  throw new NeedsAttention(
    `${nameOf(row)} has been here, but another program, such as a client of DTM, has written its row of the barrier, and nobody knows what it answered`,
  );
}

/**
 * Refuses a row that is not the one that was to be written: a table whose columns take two keys for one would lose a change.
 * Refuses one whose work has been left in the middle.
 * @throws Error, NeedsAttention
 */
export function checkFound(found: FoundRow, row: BranchKey): void {
  for (const field of ['gid', 'branchId', 'op', 'barrierId'] as const)
    if (found[field] !== row[field])
      throw new NeedsAttention(
        `the barrier's table takes the ${field} ${JSON.stringify(row[field])} for ${JSON.stringify(found[field])}, which is another: give its columns a collation that compares bytes and does not pad, as createTable() does`,
      );
  if (found.work === 'begun')
    throw new NeedsAttention(
      `${nameOf(row)} was left in the middle: its work has ended the barrier's transaction by itself, by a COMMIT or a statement that commits. See to the data by hand; then give the row in the table of results the result it should have had ('' for none), or delete the rows of both tables to have it run anew`,
    );
}

function nameOf({ gid, branchId, op }: BranchKey): string {
  return `the ${op} of the branch ${branchId} of ${gid}`;
}

/** The result of work, as it is kept and as JSON brings it back: the first caller gets what the later ones get. */
export function resultOf(value: unknown, row: BranchKey): { readonly json: string; readonly result: unknown } {
  const json = jsonOf(value, `what ${nameOf(row)} returns`);
  return { json, result: resultIn(json) };
}

/** The error of a message that has been here. */
export function duplicated(gid: string): DuplicatedMessage {
  return new DuplicatedMessage(`DUPLICATED: the local transaction of the message ${gid} has been committed or given up already`);
}

/** The row that gives up a message whose local transaction has not been committed. */
export function givingUp({ gid, transType }: BranchRef): BarrierRow {
  return { gid, transType, branchId: '00', op: 'msg', barrierId: '01', reason: 'rollback' };
}

/**
 * What was found when a message was to be given up.
 * @throws BusinessFailure: nothing, or that it was given up before. NeedsAttention
 */
export function checkCommitted(row: BarrierRow, found: FoundRow | null): void {
  if (found !== null) checkFound(found, row);
  if (found === null || found.reason === 'rollback')
    throw new BusinessFailure(`the local transaction of the message ${row.gid} was not committed`);
}

/** The verdict of a question that has waited too long for the row of a message, whose local transaction is under way. */
export function stillUnderWay(gid: string, cause: unknown): Ongoing {
  return new Ongoing(`the local transaction of ${gid} is under way`, { cause });
}

/** How long a question waits for a row that another transaction has written and not committed. Seconds. */
export const lockWaitSeconds = 3;

/**
 * Refuses what would not fit its column, for MySQL would cut it off silently, and white space at the ends, which many collations
 * do not see: then two could look like one.
 * @throws TypeError naming the field
 */
export function checkCall(call: BranchRef, { barrierId = '01' }: BarrierOptions = {}): void {
  for (const field of ['gid', 'transType', 'branchId', 'op'] as const) {
    const charactersMax = field === 'gid' || field === 'branchId' ? idCharactersMax : wordCharactersMax;
    checkText(field, call[field], charactersMax);
  }
  checkText('barrierId', barrierId, wordCharactersMax);
}

function checkText(field: string, text: unknown, charactersMax: number): void {
  if (typeof text !== 'string' || text === '') throw new TypeError(`the barrier needs ${field}, which is empty`);
  if (text !== text.trim()) throw new TypeError(`${field} is ${JSON.stringify(text)}: white space at its ends is not allowed`);
  if (text.length > charactersMax)
    throw new TypeError(`${field} is longer than the ${charactersMax} characters of the barrier's table`);
}

function keyOf({ gid, branchId }: BranchRef): Pick<BranchKey, 'gid' | 'branchId'> {
  return { gid, branchId };
}
