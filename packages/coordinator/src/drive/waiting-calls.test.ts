/** Calls that wait for a place at their host, as the users of a coordinator see them. */
import { defaultRetry, epochMs, type Gid, type Outcome, type SagaSpec } from '@amends/core';
import { decorated, openMemoryStore } from '@amends/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Coordinator } from '../coordinator.ts';
import { type CoordinatorOptions, createCoordinator } from '../create-coordinator.ts';
import type { BranchCall, Transport } from '../ports/ports.ts';
import { bankSaga } from '../testing/bank-saga.ts';

const done: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };
const refused: Outcome = { ...done, class: 'failure', code: 'http_409', detail: 'no money' };

interface Bank {
  readonly transport: Transport;
  /** All calls so far, each with what ends it. */
  readonly calls: { readonly request: BranchCall; readonly end: (outcome: Outcome) => void }[];
}

/** A participant whose calls end when the test says so. */
function bank(): Bank {
  const calls: Bank['calls'] = [];
  const call: Transport['call'] = (request) => new Promise((end) => calls.push({ request, end }));
  return { calls, transport: { call, close: async () => {} } };
}

async function coordinator(options: Partial<CoordinatorOptions> & Pick<CoordinatorOptions, 'transport'>): Promise<Coordinator> {
  const store = options.store ?? openMemoryStore();
  const amends = createCoordinator({ store, heartbeatEveryMs: 20, timeToLiveMs: 200, claimEveryMs: 20, ...options });
  onTestFinished(() => amends.stop({ graceMs: 0 }));
  await amends.start();
  return amends;
}

/** Steps of which a call without a verdict rolls back; the alarm of their saga is far away. */
function saga(names: readonly string[], rest: Partial<SagaSpec> = {}): SagaSpec {
  const actionRetry = { ...defaultRetry, attemptsMax: 1, atEnd: 'roll-back' } as const;
  return bankSaga(names, { step: { actionRetry }, timeoutReason: 'late', alarmAfterMs: 300_000, ...rest });
}

async function submitMany(amends: Coordinator, count: number): Promise<readonly Gid[]> {
  const gids = Array.from({ length: count }, () => amends.newGid());
  await Promise.all(gids.map((gid) => amends.submit({ gid, spec: saga(['a']) })));
  return gids;
}

async function statuses(amends: Coordinator, gids: readonly Gid[]): Promise<readonly string[]> {
  const views = await Promise.all(gids.map((gid) => amends.get(gid)));
  return [...new Set(views.map((view) => view!.transaction.status))];
}

test('five thousand sagas at a slow participant make five thousand calls, each with all of its time; no place is free while one waits', async () => {
  // Time passes at the participant alone, however busy the machine is.
  let passedMs = 0;
  const begun = Date.now();
  const now = () => epochMs(begun + passedMs);
  const { calls, transport } = bank();
  const amends = await coordinator({ store: openMemoryStore({ now }), clock: { now }, transport });
  const gids = await submitMany(amends, 5_000);
  for (let ended = 0; ended < 5_000; ended = Math.min(ended + 128, 5_000)) {
    await vi.waitFor(() => expect(calls).toHaveLength(Math.min(ended + 128, 5_000)), 5_000);
    passedMs += 900;
    for (const { end } of calls.slice(ended)) end(done);
  }
  await vi.waitFor(async () => expect(await statuses(amends, gids)).toEqual(['succeed']), 5_000);
  expect(calls.every(({ request }) => request.attempt === 1)).toBe(true);
  expect(Math.min(...calls.map(({ request }) => request.deadlineInMs))).toBeGreaterThan(500);
});

test('of a concurrent saga whose first step is refused the others, which wait, are neither sent nor undone (CALL-5)', async () => {
  const { calls, transport } = bank();
  const amends = await coordinator({ transport, perHostInFlightMax: 1 });
  const gid = amends.newGid();
  await amends.submit({ gid, spec: saga(['a', 'b', 'c']) });
  calls[0]!.end(refused);
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  calls[1]!.end(done);
  expect((await amends.wait(gid, { waitMs: 5_000 }))!.transaction.status).toBe('failed');
  expect(calls.map(({ request }) => `${request.op} ${request.address.text}`)).toEqual([
    'action http://bank/a',
    'compensate http://bank/una',
  ]);
});

test('places go round: a saga of many steps does not keep out those of one', async () => {
  const { calls, transport } = bank();
  const amends = await coordinator({ transport, perHostInFlightMax: 1 });
  await amends.submit({ gid: amends.newGid(), spec: saga(['a', 'b', 'c', 'd']) });
  for (const name of ['x', 'y']) await amends.submit({ gid: amends.newGid(), spec: saga([name]) });
  for (let sent = 1; sent <= 6; sent++) {
    await vi.waitFor(() => expect(calls).toHaveLength(sent));
    calls[sent - 1]!.end(done);
  }
  const order = calls.map(({ request }) => request.address.text.slice(-1)).join('');
  expect(order).toBe('abxycd');
});

test('what is being called, or waits for its place, has no moment at which it goes on: not that of its alarm', async () => {
  const { calls, transport } = bank();
  const amends = await coordinator({ transport, perHostInFlightMax: 1 });
  const [called, waits] = await submitMany(amends, 2);
  expect((await amends.get(called!))!.wakeAt).toBeNull();
  expect((await amends.get(waits!))!.wakeAt).toBeNull();
  expect((await amends.health()).waiting).toBe(1);
  calls[0]!.end(done);
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  expect((await amends.health()).waiting).toBe(0);
});

test('a saga whose time is up while it waits for its place ends without a call, and leaves the queue', async () => {
  const { calls, transport } = bank();
  const amends = await coordinator({ transport, perHostInFlightMax: 1 });
  await submitMany(amends, 1);
  const gid = amends.newGid();
  await amends.submit({ gid, spec: saga(['late'], { timeoutMs: 50 }) });
  expect((await amends.wait(gid, { waitMs: 5_000 }))!.transaction).toMatchObject({ status: 'failed', reason: 'late' });
  expect(calls).toHaveLength(1);
  expect((await amends.health()).waiting).toBe(0);
});

test('what waits when a coordinator stops is not started any more; the next one makes its first attempt', async () => {
  const store = openMemoryStore();
  const first = bank();
  const stopping = await coordinator({ store, transport: first.transport, perHostInFlightMax: 1 });
  const gids = await submitMany(stopping, 3);
  const stopped = stopping.stop({ graceMs: 60_000 });
  first.calls[0]!.end(done);
  await stopped;
  expect(first.calls).toHaveLength(1);
  const second = bank();
  const amends = await coordinator({ store, transport: second.transport });
  await vi.waitFor(() => expect(second.calls).toHaveLength(2), 5_000);
  for (const { end, request } of second.calls) {
    expect(request.attempt).toBe(1);
    end(done);
  }
  await vi.waitFor(async () => expect(await statuses(amends, gids)).toEqual(['succeed']), 5_000);
});

test('more than may wait in memory wait in the store: each is called once, and nothing is refused for them', async () => {
  const { calls, transport } = bank();
  const amends = await coordinator({ transport, perHostInFlightMax: 1, liveMax: 40 });
  const gids: Gid[] = [];
  for (let i = 0; i < 60; i++) gids.push(...(await submitMany(amends, 1)));
  expect((await amends.health()).live).toBeLessThanOrEqual(40);
  for (let sent = 1; sent <= 60; sent++) {
    await vi.waitFor(() => expect(calls).toHaveLength(sent), 10_000);
    calls[sent - 1]!.end(done);
  }
  await vi.waitFor(async () => expect(await statuses(amends, gids)).toEqual(['succeed']), 5_000);
  expect(calls.every(({ request }) => request.attempt === 1)).toBe(true);
});

test('a place whose start the store did not take is given to the next (DRIVE-6)', async () => {
  const real = openMemoryStore();
  let isAway = false;
  const commit: (typeof real)['commit'] = (changes) => (isAway ? Promise.reject(new Error('disk full')) : real.commit(changes));
  const ping: (typeof real)['ping'] = () => (isAway ? Promise.reject(new Error('disk full')) : real.ping());
  const { calls, transport } = bank();
  const amends = await coordinator({ store: decorated(real, { commit, ping }), transport, perHostInFlightMax: 1 });
  const gids = await submitMany(amends, 3);
  isAway = true;
  calls[0]!.end(done);
  await vi.waitFor(async () => expect((await amends.health()).state).toBe('paused'));
  isAway = false;
  for (let sent = 2; sent <= 3; sent++) {
    await vi.waitFor(() => expect(calls).toHaveLength(sent), 5_000);
    calls[sent - 1]!.end(done);
  }
  await vi.waitFor(async () => expect(await statuses(amends, gids)).toEqual(['succeed']), 5_000);
});

test('what waits in the store for want of room in memory is left there until its turn is near', async () => {
  const real = openMemoryStore();
  let changed = 0;
  let claims = 0;
  const commit: (typeof real)['commit'] = (changes) => {
    changed += changes.length;
    return real.commit(changes);
  };
  const claim: (typeof real)['claim'] = (request) => {
    claims += 1;
    return real.claim(request);
  };
  const { calls, transport } = bank();
  const store = decorated(real, { commit, claim });
  const amends = await coordinator({ store, transport, perHostInFlightMax: 1, liveMax: 40 });
  for (let i = 0; i < 60; i++) await submitMany(amends, 1);
  const before = claims;
  await vi.waitFor(() => expect(claims).toBeGreaterThan(before + 20), 10_000);
  expect(claims).toBeLessThan(before + 200);
  expect(changed).toBeLessThan(4 * 60);
  expect(calls).toHaveLength(1);
});
