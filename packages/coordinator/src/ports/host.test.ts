import { epochMs } from '@amends/core';
import { expect, test } from 'vitest';
import { anchoredClock } from './host.ts';

/** A clock on a monotonic clock and a store that the test moves; each answer of the store takes `tripMs` each way. */
function scene() {
  const now = { monotonicMs: 1_000, wallMs: 1_790_000_000_000, storeMs: 1_790_000_000_000 };
  const clock = anchoredClock(
    () => now.monotonicMs,
    () => now.wallMs,
  );
  const pass = (ms: number, storePassesMs = ms) => {
    now.monotonicMs += ms;
    now.wallMs += ms;
    now.storeMs += storePassesMs;
  };
  const anchor = (thereMs = 0, backMs = 0) =>
    clock.anchor(async () => {
      pass(thereMs);
      const told = epochMs(Math.floor(now.storeMs));
      pass(backMs);
      return told;
    });
  return { now, clock, pass, anchor, ahead: () => clock.now() - Math.floor(now.storeMs) };
}

test('stands at 0 until it is anchored, then shows the time of the store and goes on by itself', async () => {
  const { clock, pass, anchor, ahead } = scene();
  expect(clock.now()).toBe(0);
  await anchor();
  pass(12_345);
  expect(ahead()).toBe(0);
});

test('that is slow jumps to the time of the store', async () => {
  const { pass, anchor, ahead } = scene();
  await anchor();
  pass(10_000, 10_007);
  expect(ahead()).toBe(-7);
  await anchor();
  expect(ahead()).toBe(0);
  pass(0, 3_600_000);
  await anchor();
  expect(ahead()).toBe(0);
});

test('that is fast stands still until the store has caught up', async () => {
  const { clock, pass, anchor, ahead } = scene();
  await anchor();
  pass(10_000, 9_000);
  const shown = clock.now();
  await anchor();
  expect(clock.now()).toBe(shown);
  pass(600);
  expect(clock.now()).toBe(shown);
  pass(1_400);
  expect(ahead()).toBeGreaterThanOrEqual(0);
  expect(ahead()).toBeLessThanOrEqual(1);
});

test.each([
  [400, 0],
  [0, 400],
  [150, 250],
])('is not moved by an answer that came late: %i ms there, %i ms back', async (thereMs, backMs) => {
  const { pass, anchor, ahead } = scene();
  await anchor();
  for (let beats = 0; beats < 10; beats++) {
    pass(1_000);
    await anchor(thereMs, backMs);
    expect(ahead()).toBe(0);
  }
});

test('is not moved by an answer that failed', async () => {
  const { clock, ahead, anchor } = scene();
  await anchor();
  await expect(clock.anchor(() => Promise.reject(new Error('connection lost')))).rejects.toThrow('connection lost');
  expect(ahead()).toBe(0);
});

test('a clock whose machine was suspended is not steady until it is anchored again', async () => {
  const { now, clock, pass, anchor } = scene();
  await anchor();
  pass(5_000);
  expect(clock.isSteady?.()).toBe(true);
  now.wallMs += 20_000;
  now.storeMs += 20_000;
  expect(clock.isSteady?.()).toBe(false);
  await anchor();
  expect(clock.isSteady?.()).toBe(true);
});
