import { epochMs } from '@amends/core';
import { openMemoryStore } from '@amends/store';
import { expect, test } from 'vitest';
import { sharedReading } from './store-reading.ts';

function scene(fails: () => boolean = () => false) {
  const time = { now: 5_000 };
  const inner = openMemoryStore();
  let pings = 0;
  const ping = () => {
    pings += 1;
    return fails() ? Promise.reject(new Error('the disk is full')) : inner.ping();
  };
  const ask = sharedReading({ ping, nodes: () => inner.nodes() }, { now: () => epochMs(time.now) });
  return { time, ask, pings: () => pings };
}

test('the store is read again when a second is over, however many ask meanwhile', async () => {
  const { time, ask, pings } = scene();
  await Promise.all([ask(), ask(), ask()]);
  time.now = 5_999;
  await ask();
  expect(pings()).toBe(1);
  time.now = 6_000;
  expect((await ask()).store).not.toBeNull();
  expect(pings()).toBe(2);
});

test('a store that fails is told with its reason, and asked again when a second is over', async () => {
  let isAway = true;
  const { time, ask } = scene(() => isAway);
  expect(await ask()).toEqual({ store: null, nodes: [], trouble: 'the disk is full' });
  isAway = false;
  expect((await ask()).store).toBeNull();
  time.now += 1_000;
  expect(await ask()).toMatchObject({ store: {}, trouble: '' });
});
