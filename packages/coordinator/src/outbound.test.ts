import { defaultRetry, type Outcome, parseGid, type SagaSpec } from '@amends/core';
import { decorated, openMemoryStore } from '@amends/store';
import { expect, onTestFinished, test } from 'vitest';
import type { Coordinator } from './coordinator.ts';
import { createCoordinator } from './create-coordinator.ts';
import type { BranchCall } from './ports.ts';

const gid = parseGid('slow');
const done: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };

const spec: SagaSpec = {
  mode: 'saga',
  steps: [
    {
      kind: 'compensatable',
      action: 'http://bank/a',
      compensate: 'http://bank/una',
      timeoutMs: 60_000,
      actionRetry: { ...defaultRetry, delayMs: 5 },
      compensateRetry: defaultRetry,
      after: [],
    },
  ],
  payloads: [new Uint8Array()],
  timeoutMs: null,
  timeoutReason: '',
  alarmAfterMs: null,
  headers: {},
  face: 'native',
  trace: null,
  presentation: {},
};

/** A coordinator whose first commit lasts `firstCommitMs`, and the calls that it makes. */
async function slowAtFirst(firstCommitMs: number): Promise<{ amends: Coordinator; calls: BranchCall[] }> {
  let lateMs = 0;
  const now = () => Date.now() + lateMs;
  const real = openMemoryStore({ now });
  const store = decorated(real, {
    commit: (changes) => {
      lateMs = firstCommitMs;
      return real.commit(changes);
    },
  });
  const calls: BranchCall[] = [];
  const call = async (request: BranchCall) => {
    calls.push(request);
    return done;
  };
  const clock = { now: () => now() as ReturnType<Coordinator['now']> };
  const amends = createCoordinator({ store, clock, transport: { call, close: async () => {} } });
  onTestFinished(() => amends.stop({ graceMs: 0 }));
  await amends.start();
  await amends.submit({ gid, spec });
  return { amends, calls };
}

test('a call has only the time that the commit of its start has left (I6)', async () => {
  const { amends, calls } = await slowAtFirst(40_000);
  await amends.wait(gid, { waitMs: 5_000 });
  expect(calls).toHaveLength(1);
  expect(calls[0]!.deadlineInMs).toBeGreaterThan(10_000);
  expect(calls[0]!.deadlineInMs).toBeLessThanOrEqual(20_000);
});

test('a call whose time was over before its start was stored is not made; the next attempt is', async () => {
  const { amends, calls } = await slowAtFirst(60_000);
  while ((await amends.wait(gid, { waitMs: 5_000 }))!.transaction.finishedAt === null);
  expect(calls.map(({ attempt }) => attempt)).toEqual([2]);
  const history = await amends.history(gid, { afterSeq: 0, limit: 10 });
  expect(history.map(({ code }) => code)).toEqual([null, 'commit_timeout', 'http_200']);
});
