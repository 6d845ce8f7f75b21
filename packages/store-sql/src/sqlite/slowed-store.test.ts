import { openMemoryStore } from '@amends/store';
import { firstChange, gidOf } from '@amends/store/contract';
import { expect, test } from 'vitest';
import { slowed } from './slowed-store.ts';

test('commits take longer, everything else is as before', async () => {
  const store = slowed(openMemoryStore(), 30);
  const began = performance.now();
  expect(await store.commit([firstChange(gidOf('a'))])).toEqual([{ outcome: 'applied' }]);
  expect(performance.now() - began).toBeGreaterThan(29);
  expect((await store.load([gidOf('a')]))[0]?.row.version).toBe(1);
  expect(store.capabilities.name).toBe('memory');
  await store.close();
  await expect(store.ping()).rejects.toThrow(/closed/);
});
