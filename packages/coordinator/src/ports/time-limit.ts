/** One limit of time for several waits that follow each other. */
import type { Timers } from './ports.ts';

/** A time that runs from the moment at which it is made. */
export interface TimeLimit {
  /** Resolves when `work` has ended, well or badly, or the time is over; at once when it is over already. */
  within(work: Promise<unknown>): Promise<void>;
  /** Ends the time, when nobody waits any more. */
  cancel(): void;
}

/** A limit of so many milliseconds. */
export function timeLimit(ms: number, timers: Pick<Timers, 'after'>): TimeLimit {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const cancel = timers.after(ms, resolve);
  return {
    within(work) {
      const ended = work.then(
        () => {},
        () => {},
      );
      return Promise.race([ended, over]);
    },
    cancel,
  };
}
