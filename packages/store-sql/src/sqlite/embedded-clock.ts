/**
 * Time of a store without a server: the host's wall clock as of the opening, but not before the stored high-water mark,
 * carried on by the monotonic clock. A wall clock that is set back while it runs or between two runs moves nothing.
 */
import { type EpochMs, epochMs } from '@amends/core';

/** The clocks of a host. */
export interface HostClock {
  /** Milliseconds since 1970; may jump. */
  wallMs(): number;
  /** Milliseconds since some moment; never goes back. */
  monotonicMs(): number;
}

/** The real clocks. */
export const hostClock: HostClock = { wallMs: Date.now, monotonicMs: () => performance.now() };

/** Starts the store's clock. @returns what tells its time: whole milliseconds, never earlier than told before */
export function embeddedClock(host: HostClock, highWaterMs: number): () => EpochMs {
  const origin = Math.max(host.wallMs(), highWaterMs);
  const started = host.monotonicMs();
  let latest = highWaterMs;
  return () => {
    latest = Math.max(latest, Math.floor(origin + host.monotonicMs() - started));
    return epochMs(latest);
  };
}
