/**
 * The algorithm of every barrier: which rows it writes, and what it means when one is new.
 *
 * Invariants, cited by tests:
 * BARRIER-1: The row that says "this op of this branch has been here" is committed together with the business change; neither is
 *   ever there without the other.
 * BARRIER-2: Work runs once, however often its call comes, and each call gets the answer of the first.
 * BARRIER-3: Undoing what never came changes nothing, and what comes after its undoing does not run.
 * BARRIER-4: Work that ended its transaction by itself is never taken for done, nor undone, before a human has looked.
 *
 * | call                        | row of the original op | row of its own | business |
 * | first action                | -                      | new            | runs     |
 * | repeated call               | -                      | there already  | skipped  |
 * | compensation of an action   | there already          | new            | runs     |
 * | compensation of nothing     | new                    | new            | skipped  |
 * | late action, after that     | -                      | there already  | skipped  |
 *
 * The table, its keys and its words are those of DTM's clients, so that services in several languages can share a database. A
 * second table, our own, is written in the same local transaction. For each row whose work we have run it says first that the
 * work has begun, and then what it returned. So a repeated call gives the answer of the first, and work that ended its
 * transaction by itself is never taken for done.
 */
import { type BranchRef, idCharactersMax, wordCharactersMax } from '../participants/call.ts';
import { BusinessFailure, NeedsAttention, Ongoing } from '../participants/verdict.ts';
import { parseResult, toJson } from './kept-json.ts';

/** Which of the barriers of one call. */
export interface BarrierOptions {
  /**
   * Distinguishes several barriers of one call: `01` (the default), `02`, …, as DTM's clients count them. An action and its
   * compensation must use the same ids.
   */
  readonly barrierId?: string;
}

/**
 * A barrier in a database. The work changes the database through `Tx`: these changes are committed with the barrier's row, or
 * neither is.
 */
export interface Barrier<Tx> {
  /**
   * Runs work behind the barrier, in one local transaction with the barrier's row.
   * @returns what the work returned in the first call, as JSON brings it back; undefined: there is nothing to undo, or another
   * program has written the row
   * @throws whatever the work throws; then nothing is changed and the same call may come again. `NotJson`, when the result cannot
   * be kept; nothing is changed then either. `DuplicatedMessage`. `NeedsAttention`: a human has to look
   */
  run<Result>(call: BranchRef, work: (tx: Tx) => Result | Promise<Result>, options?: BarrierOptions): Promise<Result | undefined>;
  /**
   * Answers a coordinator that asks whether a message's local transaction was committed. One that was not is given up, so that it
   * never can be.
   * As a handler: `participant((call) => bank.queryPrepared(call))`.
   * @throws BusinessFailure when it was not committed. Ongoing when it is still under way after 3 s
   */
  queryPrepared(call: BranchRef): Promise<void>;
}

/** A barrier with two tables: DTM's, and that of the results, which has the same name with `_result` at its end. */
export interface TableBarrier<Tx> extends Barrier<Tx> {
  /** Creates the tables that are missing. This takes the right to create, except where both are there. */
  createTable(): Promise<void>;
}

/** The local transaction of a message has run already, or was given up; `queryPrepared` tells which. */
export class DuplicatedMessage extends Error {
  override readonly name = 'DuplicatedMessage';
}

/** A row of the barrier's table; the fields of its key are unique together. */
export interface BarrierRow extends BranchKey {
  readonly transType: string;
  /** The op that wrote the row. */
  readonly reason: string;
}

/** The key of a row in both tables, compared byte by byte. */
export interface BranchKey {
  readonly gid: string;
  readonly branchId: string;
  readonly op: string;
  readonly barrierId: string;
}

/** A row that was there before. */
export interface FoundRow extends BranchKey {
  readonly reason: string;
  /**
   * What our own table says of the work. A result: it is done and returned this JSON, or nothing where that is empty. `begun`:
   * its transaction was committed before it was done. `unknown`: another program has written the row.
   */
  readonly work: 'begun' | 'unknown' | { readonly result: string };
}

/** A row to be written, unless one with its key is there. */
export interface Writing {
  readonly row: BarrierRow;
  /** true: our own table is to say that the row's work has begun. */
  readonly begins: boolean;
}

/** What follows for a call: its work is run and the result is kept under `row`, or it is skipped and answered. */
export type Entrance = { readonly row: BarrierRow } | { readonly row: null; readonly answer: unknown };

/** The op that each op undoes. */
export const originalOps: Readonly<Record<string, string>> = { compensate: 'action', cancel: 'try', rollback: 'action' };

/**
 * The algorithm, as a generator that synchronous and asynchronous databases drive alike. It yields each row to write, is given
 * the row that was there before (null: the row was written), and returns what follows.
 * @throws DuplicatedMessage, NeedsAttention
 */
export function* decideEntrance(call: BranchRef, barrierId: string): Generator<Writing, Entrance, FoundRow | null> {
  const { gid, branchId, transType, op: reason } = call;
  const rowOf = (op: string): BarrierRow => ({ gid, branchId, op, barrierId, transType, reason });
  const original = originalOps[call.op];
  const undone = original === undefined ? undefined : yield { row: rowOf(original), begins: false };
  if (undone) checkFound(undone, rowOf(undone.op));
  const row = rowOf(call.op);
  const found = yield { row, begins: undone !== null };
  if (found !== null) return { row: null, answer: readAnswer(found, { row, isWanted: call.answerWanted === true }) };
  return undone === null ? { row: null, answer: undefined } : { row };
}

/**
 * Reads the answer of the call that wrote a row.
 * @param isWanted the caller uses the answer, so it is an error when there is none
 * @throws DuplicatedMessage, NeedsAttention
 */
export function readAnswer(
  found: FoundRow,
  { row, isWanted }: { readonly row: BarrierRow; readonly isWanted: boolean },
): unknown {
  checkFound(found, row);
  if (row.op === 'msg') throw duplicateError(row.gid);
  if (typeof found.work !== 'string') return parseResult(found.work.result);
  if (!isWanted) return undefined;
  if (found.reason !== row.op) throw new Error(`${nameOf(row)} comes too late: its ${found.reason} was here before it`);
  throw new NeedsAttention(
    `${nameOf(row)} has been here, but another program, such as a client of DTM, has written its row of the barrier, and nobody knows what it answered`,
  );
}

/**
 * Refuses a row with another key than the one that was to be written: a table that takes two keys for one would lose a change.
 * Refuses a row whose work has begun and is not done.
 * @throws NeedsAttention
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

/** Writes the result of work as JSON, and reads it again, so that the first caller gets what later ones get. */
export function serializeResult(value: unknown, row: BranchKey): { readonly json: string; readonly result: unknown } {
  const json = toJson(value, `what ${nameOf(row)} returns`);
  return { json, result: parseResult(json) };
}

/** Makes the error of a message whose row is there already. */
export function duplicateError(gid: string): DuplicatedMessage {
  return new DuplicatedMessage(`DUPLICATED: the local transaction of the message ${gid} has been committed or given up already`);
}

/** The row that gives up a message, so that its local transaction can no longer be committed. */
export function givenUpRow({ gid, transType }: BranchRef): BarrierRow {
  return { gid, transType, branchId: '00', op: 'msg', barrierId: '01', reason: 'rollback' };
}

/**
 * Checks what was found in the place of the row that gives up a message.
 * @throws BusinessFailure when nothing was found, or it was given up before. NeedsAttention
 */
export function checkCommitted(row: BarrierRow, found: FoundRow | null): void {
  if (found !== null) checkFound(found, row);
  if (found === null || found.reason === 'rollback')
    throw new BusinessFailure(`the local transaction of the message ${row.gid} was not committed`);
}

/** Makes the verdict of a question that has waited too long for the local transaction of a message to end. */
export function underWayError(gid: string, cause: unknown): Ongoing {
  return new Ongoing(`the local transaction of ${gid} is under way`, { cause });
}

/** How long a row is waited for that another transaction has written and not committed. Seconds. */
export const lockWaitSeconds = 3;

/**
 * Refuses a field that is too long for its column, because MySQL would cut it off silently, and one with white space at its ends,
 * because many collations ignore that and would take two keys for one.
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
