import { describe, expect, it } from 'vitest';
import { pauseMsAfter, retryAfterMs, retryWithDefaults } from './retry-pause.ts';

describe('the pause between attempts', () => {
  it('doubles up to its longest, and varies by half at most', () => {
    const policy = retryWithDefaults({ delayMs: 100, delayMsMax: 1_000 });
    for (const [attempt, longest] of [
      [1, 100],
      [2, 200],
      [4, 800],
      [5, 1_000],
      [5_000, 1_000],
    ] as const) {
      const pauseMs = pauseMsAfter(attempt, policy);
      expect(pauseMs).toBeGreaterThanOrEqual(longest / 2);
      expect(pauseMs).toBeLessThanOrEqual(longest);
    }
  });
});

describe('Retry-After', () => {
  it.each([
    ['2', 2_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', null],
    [undefined, null],
    [['1', '2'], null],
  ])('%j means %j ms', (header, ms) => {
    expect(retryAfterMs(header)).toBe(ms);
  });

  it('may be a date', () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    expect(retryAfterMs(inAMinute)).toBeGreaterThan(55_000);
  });
});
