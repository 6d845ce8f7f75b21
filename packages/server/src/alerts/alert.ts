/** Which alerts follow from a stored change: one when a call has failed so often that somebody should know, one when it is held. */
import type { Committed } from '@amends/coordinator';
import { callName, type Given, type HistoryEntry, type OpState, type Status, type Transaction, urlOf } from '@amends/core';

/** What the web hook gets; the names are DTM's. */
export interface Alert {
  readonly gid: string;
  readonly status: Status;
  /** URL of the branch; empty where it is not known. */
  readonly branch: string;
  /** What the last attempt ended with, or why nothing more is tried. */
  readonly error: string;
  /** Attempts without a verdict, one after the other. */
  readonly retry_count: number;
}

/** Asking whether to deliver and having a workflow run again are not counted, as in DTM: they are called for as long as it takes. */
const uncounted: ReadonlySet<string | null> = new Set(['msg', 'resume']);

/**
 * The alerts of one change. Of each call there is one when it has failed `retryLimit` times in a row, and none for what fails
 * after it, until it has succeeded or somebody has it tried again by hand; or one when it is held before that.
 */
export function alertsOf({ given, next, history }: Committed, retryLimit: number): readonly Alert[] {
  return history.flatMap((entry) => {
    const { kind, op } = entry;
    if (kind !== 'held' && !(isFailure(entry) && !uncounted.has(op))) return [];
    const failures = failuresOf(given, next, entry);
    const isDue = kind === 'held' ? uncounted.has(op) || failures < retryLimit : failures === retryLimit;
    return isDue ? [alertOf(entry, { given, next, failures })] : [];
  });
}

function isFailure({ kind, outcome }: HistoryEntry): boolean {
  return kind === 'interrupted' || (kind === 'answered' && (outcome === 'unknown' || outcome === 'failure'));
}

interface Failed {
  readonly given: Given | null;
  readonly next: Transaction;
  readonly failures: number;
}

function alertOf({ branchId, op, code, detail }: HistoryEntry, { given, next, failures }: Failed): Alert {
  const { gid, status, branches } = next;
  const branch = given === null || branchId === null || op === null ? '' : urlOf(given, branchId, op, branches.length);
  const error =
    [code, detail].filter((text) => text !== null && text !== '').join(': ') || 'its coordinator was gone before the answer came';
  return { gid, status, branch, error, retry_count: failures };
}

/** Attempts without a verdict since the last one that had one; 0: it is not tried again. */
function failuresOf(given: Given | null, tx: Transaction, { branchId, op }: HistoryEntry): number {
  if (given === null) return 0;
  for (let branch = 0; branch < tx.branches.length; branch++)
    for (const way of ['forward', 'backward'] as const) {
      const name = callName(given, { branch, way });
      if (name.branchId === branchId && name.op === op) return unknownsOf(tx.branches[branch]![way]);
    }
  return 0;
}

function unknownsOf(state: OpState): number {
  return state.at === 'waiting' ? state.unknowns : 0;
}
