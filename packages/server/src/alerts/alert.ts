/**
 * Which alerts follow from a stored change: one when a call has failed so often that somebody should know, one when it is held.
 */
import type { Committed } from '@amends/coordinator';
import { callName, type Given, type HistoryEntry, type OpState, type Status, type Transaction, urlOf, ways } from '@amends/core';

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

/**
 * Asking whether to deliver and having a workflow run again are not counted, as in DTM: they are called for as long as it takes.
 */
const uncounted: ReadonlySet<string | null> = new Set(['msg', 'resume']);

/**
 * The alerts of one change. Of each call there is one when the change brings it to `retryLimit` failures in a row, and none for
 * what fails after it, until it has succeeded or somebody has it tried again by hand; or one when it is held before that. A hold
 * that history does not tell of has one as well.
 */
export function findAlerts(committed: Committed, retryLimit: number): readonly Alert[] {
  const told = committed.history.flatMap((entry) => {
    const failures = countFailures(committed.given, committed.next, entry);
    const isDue = entry.kind === 'held' ? isHoldDue(entry, failures, retryLimit) : isAtLimit(committed, entry, retryLimit);
    return isDue ? [makeAlert(entry, committed, failures)] : [];
  });
  return isHeldUntold(committed) ? [...told, alertOfUnread(committed.next)] : told;
}

function isHoldDue({ op }: HistoryEntry, failures: number, retryLimit: number): boolean {
  return uncounted.has(op) || failures < retryLimit;
}

/** Whether it is the failure that brought its call to the limit; the next attempt may be under way already. */
function isAtLimit({ given, previous, next }: Committed, entry: HistoryEntry, retryLimit: number): boolean {
  if (!isFailure(entry) || uncounted.has(entry.op)) return false;
  const before = previous === null ? 0 : countFailures(given, previous, entry);
  return before < retryLimit && countFailures(given, next, entry) >= retryLimit;
}

function isFailure({ kind, outcome }: HistoryEntry): boolean {
  return kind === 'interrupted' || (kind === 'answered' && (outcome === 'unknown' || outcome === 'failure'));
}

/** What cannot be read is put on hold without a row of history. */
function isHeldUntold({ previous, next, history }: Committed): boolean {
  return next.hold?.code === 'unreadable' && previous?.hold?.code !== 'unreadable' && history.length === 0;
}

function alertOfUnread({ gid, status }: Transaction): Alert {
  return { gid, status, branch: '', error: 'unreadable: what is stored of it is missing or damaged', retry_count: 0 };
}

function makeAlert(entry: HistoryEntry, { given, next }: Committed, failures: number): Alert {
  const { branchId, op, code, detail } = entry;
  const { gid, status, branches } = next;
  const branch = given === null || branchId === null || op === null ? '' : urlOf(given, branchId, op, branches.length);
  const error =
    [code, detail].filter((text) => text !== null && text !== '').join(': ') || 'its coordinator was gone before the answer came';
  return { gid, status, branch, error, retry_count: failures };
}

/** Attempts without a verdict since the last one that had one; 0: it is not tried again. */
function countFailures(given: Given | null, tx: Transaction, { branchId, op }: HistoryEntry): number {
  if (given === null) return 0;
  for (let branch = 0; branch < tx.branches.length; branch++)
    for (const way of ways) {
      const name = callName(given, { branch, way });
      if (name.branchId === branchId && name.op === op) return unknownsOf(tx.branches[branch]![way]);
    }
  return 0;
}

function unknownsOf(state: OpState): number {
  return 'unknowns' in state ? state.unknowns : 0;
}
