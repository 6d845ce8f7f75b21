/** What a coordinator makes of stores that contradict themselves, and of observers that fail. */
import { type Outcome, parseGid } from '@amends/core';
import { type Change, type CommitAnswer, decorated, openMemoryStore } from '@amends/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type CoordinatorOptions, createCoordinator } from '../create-coordinator.ts';
import { bankSaga } from '../testing/bank-saga.ts';

const done: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };
const transport = { call: async () => done, close: async () => {} };
const gid = parseGid('g');

const spec = bankSaga(['a']);

async function coordinator(options: Partial<CoordinatorOptions> & Pick<CoordinatorOptions, 'store'>) {
  const amends = createCoordinator({ transport, ...options });
  onTestFinished(() => amends.stop({ graceMs: 0 }));
  await amends.start();
  return amends;
}

test.for([{ fate: 'conflict' }, { fate: 'unknown' }] as const)(
  'a store that answers $fate again and again although nothing has changed is asked with pauses, then taken for one that cannot be used',
  async (answer) => {
    const real = openMemoryStore();
    let contradictions = 0;
    let isSane = false;
    const commit = async (changes: readonly Change[]): Promise<readonly CommitAnswer[]> => {
      if (isSane || changes.every(({ expectedVersion }) => expectedVersion === 0)) return real.commit(changes);
      contradictions += 1;
      return changes.map(() => answer);
    };
    const amends = await coordinator({ store: decorated(real, { commit }) });
    await amends.submit({ gid, spec });
    await vi.waitFor(async () => expect((await amends.health()).state).toBe('paused'), 10_000);
    expect(contradictions).toBeLessThan(10);
    isSane = true;
    await vi.waitFor(async () => expect((await amends.get(gid))!.transaction.status).toBe('succeed'), 10_000);
  },
);

/** A log that has no room left for errors, and what it was told. */
function fullLog() {
  const told: string[] = [];
  const error = (_: unknown, message: string) => {
    told.push(message);
    throw new Error('no space left for logs');
  };
  return { told, log: { debug() {}, info() {}, warn() {}, error } };
}

test('an observer that throws harms neither what was committed nor the others of its batch, nor does a log that throws', async () => {
  const { log, told } = fullLog();
  const observer = () => {
    throw new Error('no space left for metrics');
  };
  const amends = await coordinator({ store: openMemoryStore(), observer, log });
  const gids = Array.from({ length: 5 }, () => amends.newGid());
  await Promise.all(gids.map((each) => amends.submit({ gid: each, spec })));
  for (const each of gids) expect((await amends.wait(each, { waitMs: 5_000 }))!.transaction.status).toBe('succeed');
  expect(new Set(told)).toEqual(new Set(['an observer of commits failed']));
});

test('a change that the store refuses keeps no other of its batch from going on, nor does a log that throws', async () => {
  const real = openMemoryStore();
  const bad = parseGid('bad');
  const commit = async (changes: readonly Change[]): Promise<readonly CommitAnswer[]> => {
    const answers = await real.commit(changes.filter(({ row }) => row.gid !== bad));
    return changes.map(({ row }) => (row.gid === bad ? { fate: 'refused', message: 'too long' } : answers[0]!));
  };
  const { log, told } = fullLog();
  const amends = await coordinator({ store: decorated(real, { commit }), log });
  const isRefused = expect(amends.submit({ gid: bad, spec })).rejects.toMatchObject({ code: 'value_refused' });
  await amends.submit({ gid, spec });
  expect((await amends.wait(gid, { waitMs: 5_000 }))!.transaction.status).toBe('succeed');
  await isRefused;
  expect(told).toEqual(['store refused a change']);
});
