/**
 * What is done about a transaction that cannot be read: it is put on hold, and a human may terminate it. Both go by the columns
 * of its row alone, and leave what cannot be read as it is.
 */
import {
  type EpochMs,
  epochMs,
  type Gid,
  givenAtFirst,
  type HistoryEntry,
  type Hold,
  overdueSinceOf,
  type SagaSpec,
  type Transaction,
  type TransactionRow,
} from '@amends/core';
import type { Change, Store } from '@amends/store';
import type { Intervention, TransactionView } from '../coordinator.ts';

const unreadable: Hold = { code: 'unreadable' };

/**
 * The change that puts it on hold, where nobody claims it again. It writes no history, because the state counts the rows of
 * that: so one that is repaired goes on as it was.
 */
export function holdUnread(row: TransactionRow, at: EpochMs): Change {
  return bare(move(row, at, { hold: unreadable.code }));
}

/** The change that ends it as it stands, with its audit row. @param lastSeq of its history */
export function endUnread(
  row: TransactionRow,
  { actor, verb, reason }: Intervention,
  { at, lastSeq }: { readonly at: EpochMs; readonly lastSeq: number },
): Change {
  const next = move(row, at, {
    status: 'failed',
    hold: null,
    finishedAt: epochMs(Math.max(row.updatedAt, at)),
    reason: `terminated by ${actor}: ${reason}`,
    waitsFor: '',
    errorPrint: '',
  });
  return {
    ...bare(next),
    history: [terminationRow(next, { seq: lastSeq + 1, actor, detail: reason })],
    audit: [{ at, gid: row.gid, actor, verb, reason, detail: '{}' }],
  };
}

function move(row: TransactionRow, at: EpochMs, fields: Partial<TransactionRow>): TransactionRow {
  const updatedAt = epochMs(Math.max(row.updatedAt, at));
  return { ...row, version: row.version + 1, updatedAt, dueAt: null, owner: null, ...fields };
}

function bare(row: TransactionRow): Change {
  return { expectedVersion: row.version - 1, row, spec: null, history: [], records: [], documents: [], audit: [] };
}

function terminationRow(
  { status, updatedAt }: TransactionRow,
  told: Pick<HistoryEntry, 'seq' | 'actor' | 'detail'>,
): HistoryEntry {
  const untold = { branchId: null, op: null, attempt: null, outcome: null, code: null, durationMs: null, traceId: null };
  return { at: updatedAt, kind: 'terminated', status, ...untold, ...told };
}

const pageRows = 1_000;

/** Its last row of history; the state would say so too, but may be what cannot be read. */
export async function lastSeqOf(gid: Gid, store: Pick<Store, 'history'>): Promise<number> {
  let last = 0;
  for (;;) {
    const page = await store.history(gid, { afterSeq: last, limit: pageRows });
    last = page.at(-1)?.seq ?? last;
    if (page.length < pageRows) return last;
  }
}

/** What the row of an unreadable transaction tells of it, for those who watch and for those who have ended it. */
export function salvage(row: TransactionRow): Transaction {
  const { gid, mode, status, reason, createdAt, updatedAt, finishedAt, version, epoch, owner } = row;
  const columns = { gid, mode, status, reason, createdAt, updatedAt, finishedAt, version, epoch, owner };
  const hold = row.hold === unreadable.code ? unreadable : null;
  return { ...columns, hold, decision: null, branches: [], overdueSince: overdueSinceOf(row), aheadUntil: null, seq: 0 };
}

/** All that is known of one that a human has terminated. */
export function viewOfTerminated({ row, history }: Change, actor: string): TransactionView {
  const { seq } = history[0]!;
  const transaction = { ...salvage(row), decision: { direction: 'terminate', seq, actor }, seq } as const;
  return { transaction, given: givenAtFirst(nothingKnown), wakeAt: null };
}

const nothingKnown: SagaSpec = {
  mode: 'saga',
  steps: [],
  payloads: [],
  timeoutMs: null,
  timeoutReason: '',
  headers: {},
  face: 'native',
  alarmAfterMs: null,
  trace: null,
  presentation: {},
};
