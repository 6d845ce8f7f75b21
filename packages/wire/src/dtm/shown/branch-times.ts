/** When each branch came, was last heard of and ended: read off the history, where DTM keeps columns. */
import type { EpochMs, HistoryEntry, Op } from '@amends/core';

/** The moments of one op of one branch. */
interface BranchTimes {
  /** When its branch was registered; of branches that were there from the start, the beginning of the transaction. */
  readonly createdAt: EpochMs;
  /** The last attempt that ended; before the first, `createdAt`. */
  readonly updatedAt: EpochMs;
}

/** Tells the moments of an op. */
export type TimesOf = (branchId: string, op: string) => BranchTimes;

/** Reads a history, which may have gaps: what lies in one is not known, and the moment before it stands for it. */
export function timesIn(history: readonly HistoryEntry[], begunAt: EpochMs): TimesOf {
  const registered = new Map<string, EpochMs>();
  const heard = new Map<string, EpochMs>();
  for (const entry of history) {
    const { kind, branchId, op, detail, at } = entry;
    if (branchId === null) continue;
    if (kind === 'registered') registered.set(detail === null ? branchId : keyOf(branchId, recordedOp(detail)), at);
    else if (op !== null && isAttempt(entry)) heard.set(keyOf(branchId, op), at);
  }
  return (branchId, op) => {
    const createdAt = registered.get(keyOf(branchId, op)) ?? registered.get(branchId) ?? begunAt;
    return { createdAt, updatedAt: heard.get(keyOf(branchId, op)) ?? createdAt };
  };
}

/** The outcome of the last attempt at an op; null: none is known. */
export function lastOutcomeIn(history: readonly HistoryEntry[], branchId: string, op: Op): HistoryEntry['outcome'] {
  return history.findLast((entry) => entry.branchId === branchId && entry.op === op && isAttempt(entry))?.outcome ?? null;
}

function isAttempt({ kind }: HistoryEntry): boolean {
  return kind === 'answered' || kind === 'interrupted';
}

/** A step that a workflow has recorded tells its op before its status. */
function recordedOp(detail: string): string {
  return detail.split(' ', 1)[0]!;
}

function keyOf(branchId: string, op: string): string {
  return `${branchId} ${op}`;
}
