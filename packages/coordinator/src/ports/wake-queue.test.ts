import { type EpochMs, epochMs } from '@amends/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Wakeable, WakeQueue } from './wake-queue.ts';

/** One timer, as the queue keeps at most one armed; time moves from one alarm to the next. */
function stage() {
  let now = 0;
  let armed: { at: number; wake: () => void } | null = null;
  const queue = new WakeQueue(
    { now: () => epochMs(now) },
    {
      after(delayMs, wake) {
        if (delayMs > 2 ** 31 - 1) throw new Error(`a timer of ${delayMs} ms`);
        const timer = { at: now + delayMs, wake };
        armed = timer;
        return () => {
          if (armed === timer) armed = null;
        };
      },
    },
  );
  const run = () => {
    for (let timer = armed; timer !== null; timer = armed) {
      armed = null;
      now = timer.at;
      timer.wake();
    }
  };
  const jump = (ms: number) => {
    now += ms;
  };
  return { queue, run, jump, now: () => now };
}

function sleeper(woken: () => void): Wakeable {
  return { wakeSlot: -1, wakeAt: null, wake: woken };
}

test('everything is woken at its last set moment, in order, and nothing that was taken out', () => {
  const moves = fc.array(fc.tuple(fc.nat(19), fc.option(fc.nat(1_000))), { maxLength: 200 });
  fc.assert(
    fc.property(moves, (list) => {
      const { queue, run, now } = stage();
      const woken: [number, number][] = [];
      const sleepers = Array.from({ length: 20 }, (_, index) => sleeper(() => woken.push([index, now()])));
      const expected = new Map<number, number>();
      for (const [index, at] of list) {
        queue.set(sleepers[index]!, at === null ? null : (epochMs(at) as EpochMs));
        if (at === null) expected.delete(index);
        else expected.set(index, at);
      }
      run();
      expect([...woken].sort(([a], [b]) => a - b)).toEqual([...expected].sort(([a], [b]) => a - b));
      expect(woken.map(([, at]) => at)).toEqual([...woken.map(([, at]) => at)].sort((a, b) => a - b));
    }),
  );
});

test('a stopped queue wakes nothing', () => {
  const { queue, run } = stage();
  let count = 0;
  queue.set(
    sleeper(() => count++),
    epochMs(5),
  );
  queue.stop();
  run();
  expect(count).toBe(0);
});

test('a moment that is months away is one timer an hour, and none that the process cannot set', () => {
  const { queue, run, now } = stage();
  const day = 86_400_000;
  const woken: number[] = [];
  queue.set(
    sleeper(() => woken.push(now())),
    epochMs(90 * day),
  );
  run();
  expect(woken).toEqual([90 * day]);
});

test('what is due by a clock that has jumped is woken at the next look, and the rest in time by the new one', () => {
  const { queue, run, jump, now } = stage();
  const woken: [string, number][] = [];
  const day = 86_400_000;
  queue.set(
    sleeper(() => woken.push(['near', now()])),
    epochMs(1_000),
  );
  queue.set(
    sleeper(() => woken.push(['far', now()])),
    epochMs(day + 5_000),
  );
  jump(day);
  queue.look();
  expect(woken).toEqual([['near', day]]);
  run();
  expect(woken).toEqual([
    ['near', day],
    ['far', day + 5_000],
  ]);
});

test('a stopped queue wakes nothing, not even at a look', () => {
  const { queue, jump } = stage();
  let count = 0;
  queue.set(
    sleeper(() => count++),
    epochMs(5),
  );
  queue.stop();
  jump(10);
  queue.look();
  expect(count).toBe(0);
});
