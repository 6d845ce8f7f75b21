import { expect, test } from 'vitest';
import { startClock } from './embedded-clock.ts';

function host(wall: number) {
  const clocks = { wall, monotonic: 1_000 };
  const pass = (ms: number) => {
    clocks.wall += ms;
    clocks.monotonic += ms;
  };
  return { clocks, pass, wallMs: () => clocks.wall, monotonicMs: () => clocks.monotonic };
}

test('goes with the monotonic clock when the wall clock is set back', () => {
  const { clocks, pass, ...clock } = host(50_000);
  const now = startClock(clock, 0);
  expect(now()).toBe(50_000);
  clocks.wall = 10;
  pass(7.9);
  expect(now()).toBe(50_007);
  pass(5_000);
  expect(now()).toBe(55_007);
});

test('follows a wall clock that jumps forward, as after a suspension, and goes on from there', () => {
  const { clocks, pass, ...clock } = host(50_000);
  const now = startClock(clock, 0);
  expect(now()).toBe(50_000);
  clocks.wall += 3_600_000;
  expect(now()).toBe(3_650_000);
  pass(10);
  expect(now()).toBe(3_650_010);
  clocks.wall -= 3_600_000;
  pass(10);
  expect(now()).toBe(3_650_020);
});

test('begins at the high-water mark when the wall clock is behind it, and goes on from there', () => {
  const { clocks, pass, ...clock } = host(50_000);
  const now = startClock(clock, 60_000);
  expect(now()).toBe(60_000);
  pass(1);
  expect(now()).toBe(60_001);
  clocks.wall = 61_000;
  expect(now()).toBe(61_000);
});

test('tells nothing earlier than it told', () => {
  const { clocks, ...clock } = host(50_000);
  const now = startClock(clock, 0);
  clocks.monotonic = 500;
  expect(now()).toBe(50_000);
  clocks.monotonic = 400;
  expect(now()).toBe(50_000);
  clocks.monotonic = 600;
  expect(now()).toBe(50_200);
});
