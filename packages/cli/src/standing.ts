/** How a transaction stands, in a few lines: how it ended, or what it waits for. */
import type { Branch, BranchCall, HistoryEntry, Hold, Transaction } from '@amends/client';
import { paint } from './terminal.ts';

/** How a transaction ended, or how it stands. */
export function outcomeLine({ outcome, status, decision, reason, hold, createdAt, finishedAt }: Transaction): string {
  const took = finishedAt === null ? '' : ` after ${Date.parse(finishedAt) - Date.parse(createdAt)} ms`;
  if (outcome === 'succeeded') return paint('green', `succeeded${took}`);
  if (decision?.direction === 'terminate')
    return paint('yellow', `terminated${took}, nothing undone: ${reason.replace(/^terminated /, '')}`);
  if (outcome === 'failed') return paint('yellow', `failed${took}: ${reason}`);
  if (hold !== null) return paint('red', `needs attention: ${holdText(hold)}`);
  return `running (${status}${reason === '' ? '' : `: ${reason}`})`;
}

/** Why it is held, and for which call if it is for one. */
export function holdText({ code, op, branchId }: Hold): string {
  return op === undefined ? code : `${code} at ${op} of branch ${branchId}`;
}

/** What it waits for, one line for each call that has had an attempt without a verdict; history: all of it. */
export function waitLines(transaction: Transaction, history: readonly HistoryEntry[]): string[] {
  if (transaction.outcome !== 'running' || transaction.hold !== null) return [];
  const lines = transaction.branches.flatMap(({ branchId, calls }) =>
    calls.flatMap((call) => waitLine(branchId, call, lastAnswer(history, branchId, call))),
  );
  const behind = transaction.branches.filter((branch) => isToBeUndone(transaction, branch)).map(({ branchId }) => branchId);
  if (lines.length > 0 && behind.length > 0) lines.push(paint('yellow', `not undone before that: ${behind.join(', ')}`));
  return lines;
}

function lastAnswer(history: readonly HistoryEntry[], branchId: string, { op }: BranchCall): HistoryEntry | undefined {
  return history.findLast((entry) => entry.branchId === branchId && entry.op === op && entry.outcome !== null);
}

function waitLine(branchId: string, { op, at, dueAt }: BranchCall, last: HistoryEntry | undefined): string[] {
  if ((at !== 'waiting' && at !== 'running') || (last?.outcome !== 'unknown' && last?.outcome !== 'ongoing')) return [];
  const { outcome, attempt, code, detail } = last;
  const next = at === 'running' ? ', called again now' : dueAt === undefined ? '' : `, again at ${dueAt}`;
  const said = detail === null || detail === '' ? '' : `: ${detail}`;
  const text = `waits: ${op} of branch ${branchId}, ${code} after ${attemptsText(attempt ?? 1)}${next}${said}`;
  return [paint(outcome === 'ongoing' ? 'yellow' : 'red', text)];
}

/** A count of attempts in words. */
export function attemptsText(attempts: number): string {
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`;
}

/** Whether a branch is to be undone and nothing has been begun for it: its turn comes after that of others. */
export function isToBeUndone({ outcome, mode, status }: Transaction, { calls }: Branch): boolean {
  const [forward, backward] = calls;
  if (outcome !== 'running' || status !== 'aborting' || backward === undefined || backward.url === '') return false;
  return backward.at === 'idle' && (mode !== 'saga' || (forward!.at !== 'idle' && forward!.at !== 'running'));
}
