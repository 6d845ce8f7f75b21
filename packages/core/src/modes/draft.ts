/** A transaction while a decision is being made about it: the one mutable thing of core, never seen outside of `decide`. */

import type { Spec } from '../request/spec.ts';
import type { Effect, OpName, ReadyCall } from '../transaction/event.ts';
import { type Given, type TransactionRecord, withRecords } from '../transaction/given.ts';
import type { HistoryEntry } from '../transaction/history.ts';
import {
  type Branch,
  type Decision,
  type HeldCall,
  isFinished,
  type OpState,
  type Transaction,
} from '../transaction/transaction.ts';
import type { EpochMs } from '../words/ids.ts';
import type { Way } from '../words/op.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Draft<S extends Spec = Spec> {
  readonly tx: Mutable<Transaction>;
  readonly branches: Branch[];
  readonly history: HistoryEntry[];
  readonly effects: Effect[];
  readonly records: TransactionRecord[];
  /** Ops that there is a place for, by `opKey`; null: none. */
  places: Set<number> | null;
  /** Calls that wait for one, by `opKey`; null: none. */
  ready: Map<number, ReadyCall> | null;
  /** With the records of this decision. */
  given: Given<S>;
  /** Whether anything differs from the transaction before. */
  changed: boolean;
  /** The moment and the chance of the event that is being applied. */
  at: EpochMs;
  jitter: number;
}

/** Begins to change a transaction; the original stays as it is. */
export function openDraft<S extends Spec>(before: Transaction, given: Given<S>): Draft<S> {
  const branches = [...before.branches];
  return {
    tx: { ...before, branches },
    branches,
    history: [],
    effects: [],
    records: [],
    places: null,
    ready: null,
    given,
    changed: false,
    at: before.updatedAt,
    jitter: 0,
  };
}

const nothing = {
  branchId: null,
  op: null,
  attempt: null,
  outcome: null,
  code: null,
  durationMs: null,
  detail: null,
  actor: null,
  traceId: null,
} as const;

/** A branch that nothing has been called on. */
export const untouched: Branch = { forward: { at: 'idle' }, backward: { at: 'idle' } };

/** Appends a history row; returns its sequence number. */
export function note(draft: Draft, entry: Partial<HistoryEntry> & Pick<HistoryEntry, 'kind'>): number {
  draft.changed = true;
  draft.tx.seq += 1;
  draft.history.push({ ...nothing, seq: draft.tx.seq, at: draft.at, status: draft.tx.status, ...entry });
  return draft.tx.seq;
}

/** Adds a record to what is given and to what is to be written. */
export function keepRecord<S extends Spec>(draft: Draft<S>, record: TransactionRecord): void {
  draft.changed = true;
  draft.records.push(record);
  draft.given = withRecords(draft.given, [record]) as Given<S>;
}

/** One number for each op of a transaction. */
export function opKey({ branch, way }: OpName): number {
  return 2 * branch + (way === 'forward' ? 0 : 1);
}

/** Replaces the state of one op. */
export function setOp(draft: Draft, index: number, way: Way, state: OpState): void {
  draft.changed = true;
  const branch = draft.branches[index]!;
  draft.branches[index] =
    way === 'forward' ? { forward: state, backward: branch.backward } : { forward: branch.forward, backward: state };
}

/** Makes the durable choice of direction, on the strength of the last history row. */
export function setDecision(draft: Draft, direction: Decision['direction'], actor: string): void {
  draft.tx.decision = { direction, seq: draft.tx.seq, actor };
}

/** Who decides when nobody does it by hand. */
export const automatic = 'amends';

/** Decides by itself to undo what was done, and why. What waits for its place has not been started, and never will be. */
export function rollBack(draft: Draft, reason: string): void {
  draft.ready = null;
  draft.tx.status = 'aborting';
  draft.tx.reason = reason;
  draft.tx.hold = null;
  setDecision(draft, 'roll-back', automatic);
}

/** Ends the transaction; the last history row of this decision tells so. */
export function finish(draft: Draft, status: 'succeed' | 'failed'): void {
  if (isFinished(draft.tx)) throw new Error(`${draft.tx.gid} is finished already`);
  draft.tx.status = status;
  draft.tx.hold = null;
  draft.tx.finishedAt = draft.at;
  if (draft.history.length === 0) note(draft, { kind: 'settled' });
  else restate(draft);
}

/** Makes the last history row of this decision show the status that it led to. */
export function restate(draft: Draft): void {
  const last = draft.history.at(-1);
  if (last !== undefined && last.status !== draft.tx.status)
    draft.history[draft.history.length - 1] = { ...last, status: draft.tx.status };
}

/** What is called next must wait for a human. */
export function hold(draft: Draft, hold: HeldCall & { readonly detail: string }): void {
  const { detail, ...rest } = hold;
  draft.tx.hold = rest;
  note(draft, { kind: 'held', branchId: rest.branchId, op: rest.op, code: rest.code, detail });
}
