/**
 * What every barrier does, whatever the database: which rows it writes, and what their being new says. The row that says "this
 * op of this branch has been here" and the business change are committed together, so that one is never without the other.
 *
 * | call                        | row of the original op | row of its own | business |
 * | first action                | -                      | new            | runs     |
 * | repeated call               | -                      | there already  | skipped  |
 * | compensation of an action   | there already          | new            | runs     |
 * | compensation of nothing     | new                    | new            | skipped  |
 * | late action, after that     | -                      | there already  | skipped  |
 *
 * Table, keys and words are those of DTM's clients, so that services in several languages can share a database.
 */
import { type BranchRef, idCharactersMax, wordCharactersMax } from './call.ts';
import { BusinessFailure } from './verdict.ts';

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
   * @returns what the work returns; undefined: skipped, because it has run before or there is nothing to undo
   * @throws whatever the work throws; then nothing is changed and the same call may come again. `DuplicatedMessage`
   */
  run<Result>(call: BranchRef, work: (tx: Tx) => Result | Promise<Result>, options?: BarrierOptions): Promise<Result | undefined>;
  /**
   * Answers a coordinator that asks whether a message's local transaction was committed. What was not by now never will be.
   * As a handler: `participant((call) => bank.queryPrepared(call))`.
   * @throws BusinessFailure when it was not
   */
  queryPrepared(call: BranchRef): Promise<void>;
}

/** A barrier with a table. */
export interface TableBarrier<Tx> extends Barrier<Tx> {
  /** Creates the table as DTM has it, where it is missing; needs the right to. */
  createTable(): Promise<void>;
}

/** A message's local transaction that has run already, or that a coordinator has given up: `queryPrepared` tells which. */
export class DuplicatedMessage extends Error {
  override readonly name = 'DuplicatedMessage';
}

/** A row of the barrier's table; the first four fields are unique together with `barrierId`. */
export interface BarrierRow extends BranchRef {
  readonly barrierId: string;
  /** The op that has written it. */
  readonly reason: string;
}

/** The op that an op undoes. */
export const originalOps: Readonly<Record<string, string>> = { compensate: 'action', cancel: 'try', rollback: 'action' };

/**
 * The algorithm. Yields the rows to write where they are missing, wants to hear whether each was new, and returns whether the
 * business may run. Synchronous and asynchronous databases drive it alike.
 */
export function* entrance(call: BranchRef, barrierId: string): Generator<BarrierRow, boolean, boolean> {
  const row = (op: string): BarrierRow => ({ ...refOf(call), op, barrierId, reason: call.op });
  const original = originalOps[call.op];
  const nothingToUndo = original !== undefined && (yield row(original));
  const first = yield row(call.op);
  if (!first && call.op === 'msg') throw duplicated(call.gid);
  return first && !nothingToUndo;
}

/** The error of a message that has been here. */
export function duplicated(gid: string): DuplicatedMessage {
  return new DuplicatedMessage(`DUPLICATED: the local transaction of the message ${gid} has been committed or given up already`);
}

/** The row that gives up a message whose local transaction has not been committed. */
export function givingUp(call: BranchRef): BarrierRow {
  return { ...refOf(call), branchId: '00', op: 'msg', barrierId: '01', reason: 'rollback' };
}

/** What the reason in a message's row says. @throws BusinessFailure when the message was given up */
export function checkCommitted(gid: string, reason: string | null): void {
  if (reason === 'rollback') throw new BusinessFailure(`the local transaction of the message ${gid} was not committed`);
  if (reason === null) throw new Error(`the barrier's row of the message ${gid} was written and is not there`);
}

/**
 * Refuses what would not fit its column: MySQL would cut it off silently, and then two could look like one.
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
  if (text.length > charactersMax)
    throw new TypeError(`${field} is longer than the ${charactersMax} characters of the barrier's table`);
}

function refOf({ gid, transType, branchId, op }: BranchRef): BranchRef {
  return { gid, transType, branchId, op };
}
