import type { CoordinatorHealth } from '@amends/coordinator';
import { openMemoryStore } from '@amends/store';
import { expect, it } from 'vitest';
import { sharedHealth } from './shared-health.ts';
import { runningServer } from './testing/running-server.ts';

const health: CoordinatorHealth = { state: 'running', reason: '', store: null, nodes: [], live: 0, calling: 0, uncommitted: 0 };

it('is read again when a second is over', async () => {
  let now = 0;
  let readings = 0;
  const coordinator = { health: () => Promise.resolve({ ...health, live: ++readings }) };
  const ask = sharedHealth(coordinator, () => now);
  expect((await ask()).live).toBe(1);
  now = 999;
  expect((await ask()).live).toBe(1);
  now = 1_000;
  expect((await ask()).live).toBe(2);
});

it('is read once for a scrape of the metrics', async () => {
  const inner = openMemoryStore();
  const plainPing = inner.ping.bind(inner);
  let pings = 0;
  const ping = () => {
    pings += 1;
    return plainPing();
  };
  const store = Object.assign(inner, { ping });
  const amends = await runningServer({}, { store });
  pings = 0;
  expect((await amends.get('/metrics')).body).toContain('amends_store_up 1');
  expect(pings).toBe(1);
});
