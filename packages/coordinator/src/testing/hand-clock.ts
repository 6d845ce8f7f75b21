/** Time that stands still until a test lets it pass. */
import { epochMs } from '@amends/core';
import { systemTimers } from '../ports/host.ts';
import type { Clock, Timers } from '../ports/ports.ts';

/** A clock with its timers. */
export interface HandClock {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Lets time pass; whatever is due by then is woken. */
  pass(ms: number): void;
  /** From now on every timer ends at once, so that whatever waits comes to its end. */
  release(): void;
}

/** Makes one. */
export function handClock(): HandClock {
  let now = 1_000_000;
  let isReleased = false;
  const waiting = new Set<{ readonly dueAt: number; readonly wake: () => void }>();
  const wakeDue = () => {
    for (const timer of [...waiting]) if ((isReleased || timer.dueAt <= now) && waiting.delete(timer)) timer.wake();
  };
  return {
    clock: { now: () => epochMs(now) },
    timers: {
      after(delayMs, wake) {
        const timer = { dueAt: now + delayMs, wake };
        waiting.add(timer);
        if (isReleased) systemTimers.soon(wakeDue);
        return () => waiting.delete(timer);
      },
      soon: systemTimers.soon,
    },
    pass(ms) {
      now += ms;
      wakeDue();
    },
    release() {
      isReleased = true;
      wakeDue();
    },
  };
}
