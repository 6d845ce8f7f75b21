import { expect, test } from 'vitest';
import { exerciseStore, firstChange, gidOf } from './contract/index.ts';
import { openMemoryStore } from './index.ts';

exerciseStore('memory', async () => {
  let now = Date.UTC(2026, 10, 24);
  return {
    store: openMemoryStore({ now: () => now }),
    passTime: (ms) => {
      now += ms;
    },
  };
});

test('rows that were handed out do not change with later commits', async () => {
  const store = openMemoryStore();
  await store.commit([firstChange(gidOf('a'), { owner: null })]);
  const [before] = (await store.list({ limit: 1 })).rows;
  await store.claim({ node: 'me' as never, dueBefore: before!.dueAt!, limit: 1 });
  expect(before!.version).toBe(1);
  expect(Object.isFrozen(before)).toBe(true);
});
