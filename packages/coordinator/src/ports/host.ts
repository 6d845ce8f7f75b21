/** The real ports. No other file of this package reads clocks, sets timers or draws random numbers. */
import { hash, randomFillSync, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type EpochMs, epochMs, type NodeId, nodeId } from '@amends/core';
import type { Clock, Digest, Log, Random, Timers } from './ports.ts';

/** The store's time, carried on by the monotonic clock. Changes of the wall clock do not touch it. */
export interface AnchoredClock extends Clock {
  /**
   * Has the store asked for its time, and corrects this clock where the answer contradicts it. A clock that is behind jumps. One
   * that is ahead stands still until the store's time has caught up, because it never goes back.
   * @returns the answer
   */
  anchor(ask: () => Promise<EpochMs>): Promise<EpochMs>;
}

/** Where the wall clock has gone on so much further than the monotonic one, the machine was suspended, or somebody has set it. */
const unsteadyMs = 100;

/**
 * A clock that stands at 0 until it is anchored. From when the machine was suspended until it is anchored again it is not steady:
 * the monotonic clock may have stood still meanwhile.
 * @param monotonicMs milliseconds since some moment; never goes back
 * @param wallMs milliseconds since 1970, as the host has them
 */
export function anchoredClock(
  monotonicMs: () => number = () => performance.now(),
  wallMs: () => number = () => Date.now(),
): AnchoredClock {
  let offset: number | null = null;
  let latest = 0;
  let wallAhead = wallMs() - monotonicMs();
  return {
    now() {
      if (offset !== null) latest = Math.max(latest, Math.floor(offset + monotonicMs()));
      return epochMs(latest);
    },
    isSteady: () => wallMs() - monotonicMs() - wallAhead < unsteadyMs,
    async anchor(ask) {
      const askedAt = monotonicMs();
      const wallAheadWhenAsked = wallMs() - askedAt;
      const told = await ask();
      // The store read its clock, in whole milliseconds, at some moment between these two. So an answer that took long says
      // little, and corrects little.
      const least = told - monotonicMs();
      const most = told + 1 - askedAt;
      offset = Math.min(most, Math.max(least, offset ?? least));
      wallAhead = wallAheadWhenAsked;
      return told;
    },
  };
}

/** Timers of the process. */
export const systemTimers: Timers = {
  after(delayMs, wake) {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
  soon(wake) {
    setImmediate(wake);
  },
};

/** Timers that do not keep the process alive by themselves. */
export const backgroundTimers: Pick<Timers, 'after'> = {
  after(delayMs, wake) {
    const timer = setTimeout(wake, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Milliseconds since some moment, with fractions; never goes back. */
export const stopwatch = { now: (): number => performance.now() };

/** Cryptographic bytes, drawn in larger portions because each draw costs more than its bytes. */
export function systemRandom(): Random {
  const pool = new Uint8Array(4_096);
  let used = pool.length;
  return {
    bytes(count) {
      if (used + count > pool.length) {
        randomFillSync(pool);
        used = 0;
      }
      used += count;
      return pool.slice(used - count, used);
    },
    fraction: Math.random,
  };
}

/** SHA-256 over the parts. */
export const sha256: Digest = (parts) => {
  // One call for all parts: the object that takes them one by one costs three times as much as hashing a usual request.
  return hash('sha256', Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))), 'hex');
};

/** A name for this run of this process that no other run has. */
export function freshNodeId(): NodeId {
  return nodeId(randomUUID());
}

/** For people: where this node runs. */
export function processName(): string {
  return `${hostname()}/${process.pid}`;
}

/** Says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A log is anybody's code: what it throws keeps nobody from doing what was to be logged. */
export function harmless(log: Log): Log {
  const say =
    (level: keyof Log): Log['info'] =>
    (fields, message) => {
      try {
        log[level](fields, message);
      } catch {
        // There is nowhere to say so.
      }
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
