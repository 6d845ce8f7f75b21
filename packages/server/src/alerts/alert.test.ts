/**
 * Which alerts follow from single changes, as core decides them: what happens in one commit cannot be brought about from outside.
 */
import {
  decide,
  epochMs,
  type Gid,
  type Given,
  givenAtFirst,
  nodeId,
  type SagaSpec,
  type Transaction,
  type TransactionEvent,
} from '@amends/core';
import { expect, test } from 'vitest';
import { type Alert, findAlerts } from './alert.ts';

const retry = { kind: 'fixed', delayMs: 100, delayMsMax: 100, attemptsMax: null, atEnd: 'hold' } as const;
const url = 'http://bank/a';
const spec: SagaSpec = {
  mode: 'saga',
  steps: [
    {
      kind: 'compensatable',
      action: url,
      compensate: '',
      timeoutMs: 1_000,
      actionRetry: retry,
      compensateRetry: retry,
      after: [],
    },
  ],
  payloads: [new Uint8Array()],
  timeoutMs: null,
  timeoutReason: '',
  headers: {},
  face: 'native',
  alarmAfterMs: null,
  trace: null,
  presentation: {},
};

const call = { branch: 0, way: 'forward' } as const;
const at = (moment: number) => ({ at: epochMs(moment), jitter: 0 });
const placed = (moment: number): TransactionEvent => ({ type: 'placed', ...call, ...at(moment) });
const woken = (moment: number): TransactionEvent => ({ type: 'woken', ...at(moment) });
const recovered = (moment: number): TransactionEvent => ({ type: 'recovered', ...at(moment) });
const ended = (moment: number, attempt: number, exchange: 'answered' | 'unsent'): TransactionEvent => ({
  type: 'answered',
  ...call,
  attempt,
  outcome: { class: 'unknown', code: 'http_500', detail: '', exchange, durationMs: 1 },
  ...at(moment),
});

/** Decides commit after commit; what each had told. */
function alertsAfter(commits: readonly (readonly TransactionEvent[])[], retryLimit: number): readonly (readonly Alert[])[] {
  const given: Given = givenAtFirst(spec);
  const begun: TransactionEvent = { type: 'submitted', gid: 'g' as Gid, owner: nodeId('n'), ...at(1_000) };
  let tx: Transaction | null = null;
  return [[begun, placed(1_000)], ...commits].map((events) => {
    const previous = tx;
    const { next, history } = decide(previous, given, events);
    tx = next;
    return findAlerts({ previous, next, given, history }, retryLimit);
  });
}

const once: Partial<Alert> = { branch: url, retry_count: 1 };

test('the failure that reaches the limit is told, although the next attempt begins in the same commit', () => {
  const told = alertsAfter([[ended(1_010, 1, 'answered'), woken(1_110), placed(1_110)]], 1);
  expect(told).toMatchObject([[], [once]]);
});

test('an attempt that a crash cut off is told, although it is made anew at once', () => {
  expect(alertsAfter([[recovered(1_500), placed(1_500)]], 1)).toMatchObject([[], [once]]);
});

test('an attempt that was never sent is told of no second time', () => {
  const told = alertsAfter([[ended(1_010, 1, 'answered')], [woken(1_110), placed(1_110)], [ended(1_120, 2, 'unsent')]], 1);
  expect(told).toMatchObject([[], [once], [], []]);
});

test('what cannot be read is told once, although its hold has no row of history', () => {
  const next = {
    ...decide(null, givenAtFirst(spec), [{ type: 'submitted', gid: 'g' as Gid, owner: nodeId('n'), ...at(1) }]).next,
  };
  const hold = { code: 'unreadable' } as Transaction['hold'];
  const unread = { previous: next, next: { ...next, hold }, given: null, history: [] };
  expect(findAlerts(unread, 3)).toEqual([
    { gid: 'g', status: 'submitted', branch: '', error: expect.stringMatching(/^unreadable: /), retry_count: 0 },
  ]);
  expect(findAlerts({ ...unread, previous: unread.next }, 3)).toEqual([]);
});
