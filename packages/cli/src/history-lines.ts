/** What happened to a transaction, moment by moment; equal attempts are one line that counts them. */
import type { Branch, HistoryEntry, Transaction } from '@amends/client';
import { paint } from './terminal.ts';

/** One line, and what it stands for. */
interface Told {
  readonly first: HistoryEntry;
  readonly last: HistoryEntry;
  readonly times: number;
}

/** The lines. Texts of others must have been made fit for a terminal. */
export function historyLines(transaction: Transaction, history: readonly HistoryEntry[]): string[] {
  const told: Told[] = [];
  for (const entry of history) {
    const at = placeOfEqual(told, entry);
    if (at === -1) told.push({ first: entry, last: entry, times: 1 });
    else told[at] = { first: told[at]!.first, last: entry, times: told[at]!.times + 1 };
  }
  return told.map((each) => lineOf(transaction, each));
}

/** Where the last attempt of the same call ended in the same way, with nothing since but attempts of other calls; -1: nowhere. */
function placeOfEqual(told: readonly Told[], entry: HistoryEntry): number {
  if (entry.outcome === null) return -1;
  const at = told.findLastIndex(({ last }) => last.outcome === null || isSameCall(last, entry));
  const found = told[at]?.last;
  return found !== undefined && isSameCall(found, entry) && found.outcome === entry.outcome && found.code === entry.code
    ? at
    : -1;
}

function isSameCall(one: HistoryEntry, other: HistoryEntry): boolean {
  return one.branchId === other.branchId && one.op === other.op;
}

/** One moment: `+12 ms  01 action  success  8 ms  …`. */
function lineOf({ createdAt, branches }: Transaction, told: Told): string {
  const { first, last } = told;
  const at = paint('dim', `+${Date.parse(first.at) - Date.parse(createdAt)} ms`.padStart(10));
  const called = first.branchId === null ? ''.padEnd(14) : `${first.branchId} ${first.op ?? ''}`.padEnd(14);
  const took = last.durationMs === null ? '' : `${last.durationMs} ms`;
  return [at, called, wordOf(told), took.padStart(8), paint('dim', remarkOf(told, createdAt, branches))].join('  ').trimEnd();
}

function wordOf({ first: { outcome, kind }, times }: Told): string {
  const word = `${outcome ?? kind}${times === 1 ? '' : ` x ${times}`}`.padEnd(13);
  if (outcome === 'success') return paint('green', word);
  if (outcome === 'failure' || kind === 'held' || kind === 'overdue' || kind === 'terminated') return paint('red', word);
  return outcome === null && kind !== 'interrupted' && kind !== 'uncertain' ? word : paint('yellow', word);
}

function remarkOf({ last, times }: Told, createdAt: string, branches: readonly Branch[]): string {
  const { branchId, op, attempt, code, detail, actor, traceId, at } = last;
  const call = branches.find((each) => each.branchId === branchId)?.calls.find((each) => each.op === op);
  const until = times === 1 ? '' : ` until +${Date.parse(at) - Date.parse(createdAt)} ms`;
  const remarks = [
    code ?? '',
    attempt !== null && attempt > 1 ? `attempt ${attempt}${until}` : '',
    call?.url ?? '',
    detail ?? '',
    actor === null ? '' : `by ${actor}`,
    traceId === null ? '' : `trace ${traceId}`,
  ];
  return remarks.filter((remark) => remark !== '').join(', ');
}
