import { expect, test } from 'vitest';
import { embeddedClock } from './embedded-clock.ts';

function host(wall: number) {
  const clocks = { wall, monotonic: 1_000 };
  return { clocks, wallMs: () => clocks.wall, monotonicMs: () => clocks.monotonic };
}

test('goes with the monotonic clock, whatever the wall clock does', () => {
  const { clocks, ...clock } = host(50_000);
  const now = embeddedClock(clock, 0);
  expect(now()).toBe(50_000);
  clocks.wall = 10;
  clocks.monotonic += 7.9;
  expect(now()).toBe(50_007);
  clocks.wall = 1e12;
  expect(now()).toBe(50_007);
});

test('begins at the high-water mark when the wall clock is behind it, and goes on from there', () => {
  const { clocks, ...clock } = host(50_000);
  const now = embeddedClock(clock, 60_000);
  expect(now()).toBe(60_000);
  clocks.monotonic += 1;
  expect(now()).toBe(60_001);
});

test('tells nothing earlier than it told', () => {
  const { clocks, ...clock } = host(50_000);
  const now = embeddedClock(clock, 0);
  clocks.monotonic = 0;
  expect(now()).toBe(49_000);
  clocks.monotonic = 500;
  expect(now()).toBe(49_500);
  clocks.monotonic = 400;
  expect(now()).toBe(49_500);
});
