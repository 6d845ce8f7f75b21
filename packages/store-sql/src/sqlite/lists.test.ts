/** Lists by indexes show what a list that looks at every row shows, and keep nobody waiting who commits. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs, modes, statuses, type TransactionRow } from '@amends/core';
import { type ListQuery, openMemoryStore, type Store } from '@amends/store';
import { firstChange, gidOf } from '@amends/store/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteStore } from './open-sqlite-store.ts';

let directory: string;
let store: Store;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-lists-'));
  store = await openSqliteStore({ path: join(directory, 'amends.db') });
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

/** The nth of transactions of every kind, several created at each moment. */
function nth(n: number) {
  const status = statuses[n % statuses.length]!;
  const isOver = status === 'succeed' || status === 'failed';
  const row: Partial<TransactionRow> = {
    mode: modes[Math.floor(n / 5) % modes.length]!,
    status,
    createdAt: epochMs(Math.floor(n / 3) % 40),
    ...(isOver ? { finishedAt: epochMs(100), dueAt: null, owner: null } : {}),
    ...(!isOver && n % 2 === 0 ? { hold: 'attempts-exhausted', dueAt: null } : {}),
  };
  return firstChange(gidOf(`g${(n * 7919) % 1_000}`), row);
}

const moment = fc.integer({ min: -1, max: 41 }).map(epochMs);
const queries: fc.Arbitrary<ListQuery> = fc.record(
  {
    limit: fc.integer({ min: 1, max: 30 }),
    mode: fc.constantFrom(...modes, 'none'),
    status: fc.constantFrom(...statuses),
    held: fc.boolean(),
    createdFrom: moment,
    createdBefore: moment,
    after: fc.record({ createdAt: moment, gid: fc.nat(999).map((n) => gidOf(`g${n}`)) }),
  },
  { requiredKeys: ['limit'] },
);

test('every combination of filters shows the same pages as the memory store', async () => {
  const whole = openMemoryStore();
  const changes = Array.from({ length: 1_000 }, (_, n) => nth(n));
  for (const each of [store, whole]) await each.commit(changes);
  await fc.assert(
    fc.asyncProperty(queries, async (query) => {
      expect(await store.list(query)).toEqual(await whole.list(query));
    }),
    { numRuns: 500 },
  );
});

test('a commit waits for one list at most, however many are asked for', async () => {
  let shown = 0;
  const lists = Array.from({ length: 50 }, () => store.list({ limit: 1_000 }).then(() => (shown += 1)));
  expect(await store.commit([firstChange(gidOf('in between'))])).toEqual([{ fate: 'applied' }]);
  expect(shown).toBeLessThanOrEqual(1);
  expect(await store.load([gidOf('in between')])).toMatchObject([{}]);
  expect(shown).toBeLessThanOrEqual(2);
  await Promise.all(lists);
});
