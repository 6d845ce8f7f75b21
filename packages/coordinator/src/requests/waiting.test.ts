import { AmendsError, epochMs, isAmendsError, parseGid } from '@amends/core';
import { decorated, openMemoryStore } from '@amends/store';
import { expect, onTestFinished, test } from 'vitest';
import { createCoordinator } from '../create-coordinator.ts';
import { systemTimers } from '../ports/host.ts';
import type { Timers } from '../ports/ports.ts';

/** The timers of the process, and how many of so many milliseconds are set. */
function countedTimers(delayCounted: number) {
  let count = 0;
  const timers: Timers = {
    ...systemTimers,
    after(delayMs, wake) {
      if (delayMs !== delayCounted) return systemTimers.after(delayMs, wake);
      count += 1;
      let isSet = true;
      const end = () => {
        if (isSet) count -= 1;
        isSet = false;
      };
      const cancel = systemTimers.after(delayMs, () => {
        end();
        wake();
      });
      return () => {
        end();
        cancel();
      };
    },
  };
  return { timers, set: () => count };
}

test('whoever waits leaves neither timer nor listener when the store fails', async () => {
  const { timers, set } = countedTimers(45_678);
  const fails = () => Promise.reject(new AmendsError('store_unavailable', 'the disk is full'));
  const store = decorated(openMemoryStore(), { load: fails });
  const amends = createCoordinator({ store, timers, clock: { now: () => epochMs(1_000) } });
  onTestFinished(() => amends.stop({ graceMs: 0 }));
  await amends.start();
  const patience = new AbortController();
  let listeners = 0;
  const listen = patience.signal.addEventListener.bind(patience.signal);
  const forget = patience.signal.removeEventListener.bind(patience.signal);
  Object.assign(patience.signal, {
    addEventListener: (...to: Parameters<typeof listen>) => {
      listeners += 1;
      listen(...to);
    },
    removeEventListener: (...to: Parameters<typeof forget>) => {
      listeners -= 1;
      forget(...to);
    },
  });
  const waiting = amends.wait(parseGid('g'), { waitMs: 45_678, signal: patience.signal });
  expect(set()).toBe(1);
  await expect(waiting).rejects.toSatisfy((error) => isAmendsError(error, 'store_unavailable'));
  expect([set(), listeners]).toEqual([0, 0]);
});
