import { expect, test } from 'vitest';
import { jitterShare, mayRetry, ongoingDelayMs, type RetryPolicy, retryDelayMs } from '../index.ts';

const exponential: RetryPolicy = { kind: 'exponential', delayMs: 1_000, delayMsMax: 60_000, attemptsMax: null, atEnd: 'hold' };
const fixed: RetryPolicy = { ...exponential, kind: 'fixed' };

test('exponential pauses begin with one delay, double, and stop at the cap', () => {
  const pauses = [1, 2, 3, 4, 7, 8, 5_000].map((unknowns) => retryDelayMs(exponential, unknowns, 0));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 60_000, 60_000, 60_000]);
});

test('fixed pauses stay', () => {
  expect([1, 2, 50].map((unknowns) => retryDelayMs(fixed, unknowns, 0))).toEqual([1_000, 1_000, 1_000]);
});

test('jitter makes pauses longer, never shorter, by at most its share', () => {
  expect(retryDelayMs(exponential, 1, 0.999999)).toBe(Math.round(1_000 * (1 + jitterShare)));
  expect(ongoingDelayMs(exponential, 0)).toBe(1_000);
});

test('a cap below the first delay does not shorten it', () => {
  expect(retryDelayMs({ ...exponential, delayMsMax: 10 }, 1, 0)).toBe(1_000);
});

test('a policy ends after its attempts, or never', () => {
  expect([1, 2, 3].map((unknowns) => mayRetry({ ...fixed, attemptsMax: 3 }, unknowns))).toEqual([true, true, false]);
  expect(mayRetry(fixed, 1_000_000)).toBe(true);
});
