/** A transaction while a decision is being made about it: the one mutable thing of core, never seen outside of `decide`. */
import type { Effect } from './event.ts';
import type { HistoryEntry } from './history.ts';
import { branchIdOfStep, type EpochMs } from './ids.ts';
import { type Branch, type Decision, isFinished, type Op, type OpState, type Transaction } from './transaction.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Draft {
  readonly tx: Mutable<Transaction>;
  readonly branches: Branch[];
  readonly history: HistoryEntry[];
  readonly effects: Effect[];
  /** Whether anything differs from the transaction before. */
  changed: boolean;
  /** The moment and the chance of the event that is being applied. */
  at: EpochMs;
  jitter: number;
}

/** Begins to change a transaction; the original stays as it is. */
export function draftOf(before: Transaction): Draft {
  const branches = [...before.branches];
  return { tx: { ...before, branches }, branches, history: [], effects: [], changed: false, at: before.updatedAt, jitter: 0 };
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

/** Appends a history row; returns its sequence number. */
export function record(draft: Draft, entry: Partial<HistoryEntry> & Pick<HistoryEntry, 'kind'>): number {
  draft.changed = true;
  draft.tx.seq += 1;
  draft.history.push({ ...nothing, seq: draft.tx.seq, at: draft.at, status: draft.tx.status, ...entry });
  return draft.tx.seq;
}

/** Replaces the state of one op. */
export function setOp(draft: Draft, index: number, op: Op, state: OpState): void {
  draft.changed = true;
  draft.branches[index] = { ...draft.branches[index]!, [op]: state };
}

/** Makes the durable choice of direction, on the strength of the last history row. */
export function setDecision(draft: Draft, direction: Decision['direction'], actor: string): void {
  draft.tx.decision = { direction, seq: draft.tx.seq, actor };
}

/** Ends the transaction; the last history row of this decision tells so. */
export function finish(draft: Draft, status: 'succeed' | 'failed'): void {
  if (isFinished(draft.tx)) throw new Error(`${draft.tx.gid} is finished already`);
  draft.tx.status = status;
  draft.tx.hold = null;
  draft.tx.finishedAt = draft.at;
  if (draft.history.length === 0) record(draft, { kind: 'settled' });
  else restate(draft);
}

/** Makes the last history row of this decision show the status that it led to. */
export function restate(draft: Draft): void {
  const last = draft.history.at(-1);
  if (last !== undefined) draft.history[draft.history.length - 1] = { ...last, status: draft.tx.status };
}

/** Branch and op of a step, as history rows carry them. */
export function named(index: number, op: Op): Pick<HistoryEntry, 'branchId' | 'op'> {
  return { branchId: branchIdOfStep(index), op };
}
