import type { HistoryEntry, Transaction } from '@amends/client';
import { expect, test } from 'vitest';
import { historyLines } from './history-lines.ts';

const transaction = { createdAt: '2030-01-01T00:00:00.000Z', branches: [] as Transaction['branches'] } as Transaction;
const nothing = {
  op: null,
  attempt: null,
  outcome: null,
  code: null,
  durationMs: null,
  detail: null,
  actor: null,
  traceId: null,
};

/** Rows a second apart, of attempts unless told otherwise. */
function history(rows: readonly Partial<HistoryEntry>[]): HistoryEntry[] {
  const common = { ...nothing, kind: 'answered', status: 'aborting', op: 'cancel', branchId: null } as const;
  return rows.map((row, index) => ({
    ...common,
    seq: index + 1,
    at: new Date(Date.UTC(2030, 0, 1, 0, 0, index)).toISOString(),
    ...row,
  }));
}

const told = (rows: readonly Partial<HistoryEntry>[]) =>
  historyLines(transaction, history(rows)).map((line) => line.trim().replace(/ {2,}/g, '  '));
const no = (branchId: string, attempt: number, code = 'http_404') => ({ branchId, attempt, code, outcome: 'unknown' }) as const;

test('equal attempts of calls that take turns are a line for each call', () => {
  expect(told([no('01', 1), no('02', 1), no('01', 2), no('02', 2), no('01', 3)])).toEqual([
    '+0 ms  01 cancel  unknown x 3  http_404, attempt 3 until +4000 ms',
    '+1000 ms  02 cancel  unknown x 2  http_404, attempt 2 until +3000 ms',
  ]);
});

test('another answer, and what is no attempt, begin a new line', () => {
  const retried = { kind: 'retried', op: null, actor: 'ann', detail: 'up again' } as const;
  expect(told([no('01', 1), no('01', 2, 'timeout'), no('01', 3), retried, no('01', 4)])).toEqual([
    '+0 ms  01 cancel  unknown  http_404',
    '+1000 ms  01 cancel  unknown  timeout, attempt 2',
    '+2000 ms  01 cancel  unknown  http_404, attempt 3',
    '+3000 ms  retried  up again, by ann',
    '+4000 ms  01 cancel  unknown  http_404, attempt 4',
  ]);
});

test('a take-over says what may have been called, and begins a new line for attempts after it', () => {
  const uncertain = { kind: 'uncertain', op: null, detail: 'may have been called: 02 cancel, 03 cancel' } as const;
  const interrupted = { kind: 'interrupted', branchId: '01', attempt: 2 } as const;
  expect(told([no('01', 1), uncertain, interrupted, no('01', 3)])).toEqual([
    '+0 ms  01 cancel  unknown  http_404',
    '+1000 ms  uncertain  may have been called: 02 cancel, 03 cancel',
    '+2000 ms  01 cancel  interrupted  attempt 2',
    '+3000 ms  01 cancel  unknown  http_404, attempt 3',
  ]);
});
