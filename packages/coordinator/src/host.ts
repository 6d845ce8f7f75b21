/** The real ports: the only file here that reads clocks, sets timers and draws random numbers. */
import { createHash, randomFillSync, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type EpochMs, epochMs, type NodeId, nodeId } from '@amends/core';
import type { Clock, Digest, Log, Random, Timers } from './ports.ts';

/** The store's time, once it is known, carried on by the monotonic clock: immune to changes of the wall clock. */
export interface AnchoredClock extends Clock {
  /** Says what time it is now. */
  anchor(now: EpochMs): void;
}

/** A clock that stands at 0 until it is anchored. */
export function anchoredClock(): AnchoredClock {
  let offset: number | null = null;
  return {
    now: () => epochMs(offset === null ? 0 : Math.floor(offset + performance.now())),
    anchor(now) {
      offset = now - performance.now();
    },
  };
}

/** Milliseconds of this process's life: for durations only. */
export const processClock: Clock = { now: () => epochMs(Math.floor(performance.now())) };

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
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
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
