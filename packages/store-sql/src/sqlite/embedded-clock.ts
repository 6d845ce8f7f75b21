/**
 * Time of a store without a server: the host's wall clock as of the opening, but not before the stored high-water mark,
 * carried on by the monotonic clock. A wall clock that is set back while it runs or between two runs moves nothing. One
 * that is ahead, because the machine was suspended or learned the time late, is followed at once, and from there the
 * monotonic clock carries on, even if the wall clock is set back afterwards.
 */
import { type EpochMs, epochMs } from '@amends/core';

export interface HostClock {
  /** Milliseconds since 1970; may jump. */
  wallMs(): number;
  /** Milliseconds since some moment; never goes back, and may stand while the machine is suspended. */
  monotonicMs(): number;
}

/** The real clocks. */
export const hostClock: HostClock = { wallMs: Date.now, monotonicMs: () => performance.now() };

/** Starts the store's clock. @returns what tells its time: whole milliseconds, never earlier than told before */
export function startClock(host: HostClock, highWaterMs: number): () => EpochMs {
  let offset = highWaterMs - host.monotonicMs();
  let latest = highWaterMs;
  return () => {
    const monotonic = host.monotonicMs();
    offset = Math.max(offset, host.wallMs() - monotonic);
    latest = Math.max(latest, Math.floor(offset + monotonic));
    return epochMs(latest);
  };
}
