/**
 * How a decision is stored: who owns the transaction from now on, when somebody must look at it, and what lists show.
 */
import {
  type Decided,
  type EpochMs,
  epochMs,
  type Given,
  isFinished,
  isQuiet,
  type NodeId,
  runsAheadUntil,
  type Transaction,
  type TransactionRow,
  toRow,
  urlOf,
} from '@amends/core';
import { hostOf } from '../calls/address/parse-address.ts';

/** What is due later than this is left to the store, whichever node claims it then. Milliseconds. */
export const horizonMs = 30_000;

/** The columns of the row before, where they carry over. */
export type CarriedColumns = Pick<TransactionRow, 'dueAt' | 'waitsFor' | 'errorPrint'>;

/** The columns of a transaction that waits for nothing. */
export const noColumns: CarriedColumns = { dueAt: null, waitsFor: '', errorPrint: '' };

/** Who commits, and as what. */
interface Committer {
  readonly node: NodeId;
  /** Unless something is to be driven within this, nobody owns the transaction from then on. Milliseconds. */
  readonly horizonMs: number;
  readonly version: number;
  readonly mayRunAhead: boolean;
  readonly given: Given;
}

/**
 * The transaction as it is to be committed: counted, owned by whoever drives it from then on, with how far that one may run
 * ahead.
 */
export function assign(decided: Decided, { node, horizonMs, version, mayRunAhead, given }: Committer): Transaction {
  const { next } = decided;
  if (isFinished(next) || mayRelease(decided, horizonMs)) return { ...next, version, owner: null, aheadUntil: null };
  const epoch = next.owner === node ? next.epoch : next.epoch + 1;
  return { ...next, version, owner: node, epoch, aheadUntil: mayRunAhead ? runsAheadUntil(next, given) : null };
}

/** What was announced is heard of again soon, whatever it waits for: it stays this many times as long. */
const preparedFor = 2;

function mayRelease(decided: Decided, withinMs: number): boolean {
  const { next, wakeAt } = decided;
  const waitsMs = next.status === 'prepared' ? preparedFor * withinMs : withinMs;
  return !isUnderWay(decided) && (wakeAt === null || wakeAt > next.updatedAt + waitsMs);
}

/** The row to commit. */
export function rowOf(next: Transaction, decided: Decided, context: { given: Given; before: CarriedColumns }): TransactionRow {
  const columns = isFinished(next)
    ? noColumns
    : { dueAt: dueAt(next, decided, context.before.dueAt), ...trouble(decided, context) };
  return toRow(next, columns);
}

/** Whether calls are in flight or wait for their places. */
function isUnderWay({ next, ready }: Decided): boolean {
  return ready.length > 0 || !isQuiet(next);
}

/**
 * While calls are under way the moment lies in the past, so that anyone may claim the work the moment its owner is
 * dead; it keeps its value from commit to commit, which spares the index a change.
 */
function dueAt(next: Transaction, decided: Decided, before: EpochMs | null): EpochMs | null {
  if (!isUnderWay(decided)) return decided.wakeAt;
  return before !== null && before <= next.updatedAt ? before : epochMs(next.updatedAt);
}

/** The end of a pause; what is under way has been due since its last commit at the latest. */
export function pauseEndOf({ dueAt, updatedAt }: Pick<TransactionRow, 'dueAt' | 'updatedAt'>): EpochMs | null {
  return dueAt !== null && dueAt > updatedAt ? dueAt : null;
}

function trouble(
  decided: Decided,
  context: { given: Given; before: CarriedColumns },
): Pick<TransactionRow, 'waitsFor' | 'errorPrint'> {
  let { waitsFor, errorPrint } = context.before;
  for (const entry of decided.history) {
    if (entry.branchId === null || entry.op === null) continue;
    if (entry.outcome === 'success' || entry.outcome === 'ongoing') {
      waitsFor = '';
      errorPrint = '';
    } else if (entry.outcome !== null) {
      waitsFor = hostOf(urlOf(context.given, entry.branchId, entry.op, decided.next.branches.length));
      errorPrint = `${waitsFor} ${entry.op} ${entry.code ?? ''}`;
    }
  }
  return { waitsFor, errorPrint };
}
