import { defaultRetry, type Outcome, parseGid } from '@amends/core';
import { decorated, openMemoryStore } from '@amends/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Coordinator } from '../coordinator.ts';
import { createCoordinator } from '../create-coordinator.ts';
import type { BranchCall, CallObserver, Transport } from '../ports/ports.ts';
import { bankSaga } from '../testing/bank-saga.ts';

const gid = parseGid('slow');
const done: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };

const spec = bankSaga(['a'], { step: { timeoutMs: 60_000, actionRetry: { ...defaultRetry, delayMs: 5 } } });

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

test('a call has only the time that the commit of its start has left (SAGA-6)', async () => {
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

const broken: Record<string, Transport['call']> = {
  throws: () => {
    throw new Error('no such cable');
  },
  rejects: () => Promise.reject(new Error('no such cable')),
};

test.for(Object.keys(broken))(
  'a call of which the transport %s is tried again, and so is each that waits behind it',
  async (how) => {
    let calls = 0;
    const call: Transport['call'] = (request) => (++calls === 1 ? broken[how]!(request) : Promise.resolve(done));
    const transport: Transport = { call, close: async () => {} };
    const amends = createCoordinator({ store: openMemoryStore(), transport, perHostInFlightMax: 1 });
    onTestFinished(() => amends.stop({ graceMs: 0 }));
    await amends.start();
    for (const name of ['first', 'second']) await amends.submit({ gid: parseGid(name), spec });
    for (const name of ['first', 'second'])
      await vi.waitFor(async () => expect((await amends.get(parseGid(name)))?.transaction.status).toBe('succeed'), 5_000);
    const history = await amends.history(parseGid('first'), { afterSeq: 0, limit: 100 });
    expect(JSON.stringify(history)).toContain('no such cable');
  },
);

test('what observes calls hears of each before anything follows from it; one that throws harms neither the call nor others', async () => {
  const heard: string[] = [];
  const callObserver: CallObserver = ({ op, address }, outcome) => {
    heard.push(`${op} ${address.text} ${outcome.class}`);
    throw new Error('a metric too many');
  };
  const transport: Transport = { call: () => Promise.resolve(done), close: async () => {} };
  const amends = createCoordinator({ store: openMemoryStore(), transport, callObserver });
  onTestFinished(() => amends.stop({ graceMs: 0 }));
  await amends.start();
  await amends.submit({ gid, spec });
  expect((await amends.wait(gid, { waitMs: 5_000 }))!.transaction.status).toBe('succeed');
  expect(heard).toEqual(['action http://bank/a success']);
});

test('when a call whose answer is of no use ends, nothing holds up the stop', async () => {
  let answer: (outcome: Outcome) => void = () => {};
  const call: Transport['call'] = () => new Promise((resolve) => (answer = resolve));
  const amends = createCoordinator({ store: openMemoryStore(), transport: { call, close: async () => {} } });
  await amends.start();
  await amends.submit({ gid, spec });
  const act = { gid, expectedVersion: null, reason: 'no longer wanted', actor: 'ann' };
  await amends.intervene({ ...act, verb: 'terminate' });
  const stopped = amends.stop({ graceMs: 60_000 });
  answer(done);
  await stopped;
  expect((await amends.health()).state).toBe('stopped');
});
