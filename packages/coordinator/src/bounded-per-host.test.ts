import { branchIdOfStep, epochMs, type Gid, type Outcome } from '@amends/core';
import { expect, test } from 'vitest';
import { boundedPerHost } from './bounded-per-host.ts';
import type { BranchCall, Transport } from './ports.ts';

/** A transport whose calls end when the test says so, and a clock with timers that the test moves. */
function stage(bounds: { inFlightMax?: number; queueMax?: number } = {}) {
  let now = 0;
  const timers = new Set<{ at: number; wake: () => void }>();
  const sent: { request: BranchCall; end: (outcome: Outcome) => void }[] = [];
  const manual: Transport = {
    call: (request) => new Promise((end) => sent.push({ request, end })),
    close: async () => {},
  };
  const bounded = boundedPerHost(manual, {
    clock: { now: () => epochMs(now) },
    timers: {
      after(delayMs, wake) {
        const timer = { at: now + delayMs, wake };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    },
    ...bounds,
  });
  const pass = (ms: number) => {
    now += ms;
    for (const timer of [...timers]) if (timer.at <= now && timers.delete(timer)) timer.wake();
  };
  return { bounded, sent, pass };
}

function call(host: string, deadlineInMs = 1_000): BranchCall {
  const gid = 'g' as Gid;
  const rest = {
    mode: 'saga',
    branchId: branchIdOfStep(0),
    op: 'action',
    attempt: 1,
    epoch: 1,
    headers: {},
    face: 'native',
    protocol: 'http',
    keepsAnswer: false,
    workflow: '',
  } as const;
  return { ...rest, gid, url: `http://${host}/x`, payload: new Uint8Array(), deadlineInMs };
}

const success: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };

test('calls beyond the bound wait for their turn, in order, with what is left of their time', async () => {
  const { bounded, sent, pass } = stage({ inFlightMax: 1 });
  const first = bounded.call(call('a'));
  const second = bounded.call(call('a', 500));
  expect(sent.length).toBe(1);
  pass(200);
  sent[0]!.end(success);
  await first;
  expect(sent[1]!.request.deadlineInMs).toBe(300);
  sent[1]!.end(success);
  expect(await second).toEqual(success);
});

test('a host that hangs does not hold up another', () => {
  const { bounded, sent } = stage({ inFlightMax: 2 });
  for (let i = 0; i < 200; i++) void bounded.call(call('dead'));
  void bounded.call(call('alive'));
  expect(sent.map(({ request }) => request.url)).toEqual(['http://dead/x', 'http://dead/x', 'http://alive/x']);
});

test('a call whose turn does not come in time was not sent', async () => {
  const { bounded, sent, pass } = stage({ inFlightMax: 1 });
  void bounded.call(call('a', 10_000));
  const waiting = bounded.call(call('a', 100));
  pass(100);
  expect(await waiting).toMatchObject({ class: 'unknown', code: 'queue_timeout', exchange: 'unsent' });
  expect(sent.length).toBe(1);
});

test('a queue has an end', async () => {
  const { bounded } = stage({ inFlightMax: 1, queueMax: 1 });
  void bounded.call(call('a'));
  void bounded.call(call('a'));
  expect(await bounded.call(call('a'))).toMatchObject({ code: 'queue_full', exchange: 'unsent' });
});

test('closing tells those who wait', async () => {
  const { bounded } = stage({ inFlightMax: 1 });
  void bounded.call(call('a'));
  const waiting = bounded.call(call('a'));
  await bounded.close();
  expect(await waiting).toMatchObject({ code: 'stopped', exchange: 'unsent' });
});
