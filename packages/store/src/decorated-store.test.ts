import { expect, test } from 'vitest';
import { exerciseStore, firstChange, gidOf } from './contract/index.ts';
import { decorated, openMemoryStore } from './index.ts';

exerciseStore('decorated', async () => {
  let now = Date.UTC(2026, 10, 24);
  return {
    store: decorated(openMemoryStore({ now: () => now }), {}),
    passTime: (ms) => {
      now += ms;
    },
  };
});

test('a replaced method is called instead, the others as before', async () => {
  const store = decorated(openMemoryStore(), { commit: async (changes) => changes.map(() => ({ fate: 'unknown' })) });
  expect(await store.commit([firstChange(gidOf('a'))])).toEqual([{ fate: 'unknown' }]);
  expect(await store.load([gidOf('a')])).toEqual([null]);
  expect(store.capabilities.name).toBe('memory');
});
