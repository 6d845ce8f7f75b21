/** What a coordinator writes of a saga whose calls it makes ahead of its commits. */
import { epochMs, fromRow, type Outcome, parseGid } from '@amends/core';
import { decorated, openMemoryStore } from '@amends/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createCoordinator } from '../create-coordinator.ts';
import type { BranchCall, Timers } from '../ports/ports.ts';
import { serialSaga } from '../testing/bank-saga.ts';

const gid = parseGid('ahead');
const done: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };

test('a serial saga of any length that ends quickly is committed twice: before its first call and before its answer (AHEAD-1)', async () => {
  const real = openMemoryStore();
  let commits = 0;
  const store = decorated(real, {
    commit(changes) {
      commits += changes.length;
      return real.commit(changes);
    },
  });
  const amends = createCoordinator({ store, transport: { call: async () => done, close: async () => {} } });
  onTestFinished(() => amends.stop({ graceMs: 0 }));
  await amends.start();
  await amends.submit({ gid, spec: serialSaga([...'abcdefghij']) });
  expect((await amends.wait(gid, { waitMs: 5_000 }))!.transaction.status).toBe('succeed');
  expect(commits).toBe(2);
});

test('what was done ahead is written 50 ms later at the latest, however long the next call takes (AHEAD-5)', async () => {
  let now = 1_000_000;
  const timers = new Set<{ readonly dueAt: number; wake(): void }>();
  let isOver = false;
  const byHand: Timers = {
    after(delayMs, wake) {
      if (isOver) setImmediate(wake);
      const timer = { dueAt: now + delayMs, wake };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    soon: (wake) => void setImmediate(wake),
  };
  const store = openMemoryStore({ now: () => now });
  const calls: BranchCall[] = [];
  const call = (request: BranchCall) => {
    calls.push(request);
    return calls.length === 1 ? Promise.resolve(done) : new Promise<Outcome>(() => {});
  };
  const clock = { now: () => epochMs(now) };
  const amends = createCoordinator({ store, clock, timers: byHand, transport: { call, close: async () => {} } });
  onTestFinished(() => {
    isOver = true;
    return amends.stop({ graceMs: 0 });
  });
  await amends.start();
  await amends.submit({ gid, spec: serialSaga(['a', 'b']) });
  await vi.waitFor(() => expect(calls).toHaveLength(2));
  const written = async () => {
    const [stored] = await store.load([gid]);
    return fromRow(stored!.row).branches.map(({ forward }) => forward.at);
  };
  expect(await written()).toEqual(['running', 'idle']);
  now += 50;
  for (const timer of [...timers]) if (timer.dueAt <= now && timers.delete(timer)) timer.wake();
  await vi.waitFor(async () => expect(await written()).toEqual(['succeed', 'running']));
});
