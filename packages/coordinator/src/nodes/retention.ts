/**
 * Finished transactions are deleted after a while, few at a time. After each portion the node rests for a multiple of the time
 * that the portion took, so it takes a small share of the store, and a smaller one while requests come in. A transaction that is
 * not finished is never deleted.
 */
import { type EpochMs, epochMs, type Status } from '@amends/core';
import type { Store } from '@amends/store';
import type { Clock, Log, Timers } from '../ports/ports.ts';

/** The time for which a finished transaction is kept. Milliseconds since it finished; null: for ever. */
export interface RetentionOptions {
  readonly retainSucceededMs: number | null;
  readonly retainFailedMs: number | null;
}

interface RetentionPorts {
  readonly store: Pick<Store, 'purge'>;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether requests came in a moment ago; they must not wait. */
  isAsked(): boolean;
}

/** Transactions per portion, which takes some milliseconds. */
const portion = 100;

/** The rest after a portion: so many times its duration, and at least so long. */
const rest = { asked: 10, unasked: 1, leastMs: 5 };

/** The node looks again after this time when there was nothing to do, and after a failure. Milliseconds. */
const lookEveryMs = { most: 60_000, least: 1_000 };

/** A clock that is so much later than the pause explains has jumped. Somebody may have set it wrong, and will set it back. */
const jump = { leastMs: 600_000, pauseMs: 3_600_000 };

interface Kept {
  readonly status: Extract<Status, 'succeed' | 'failed'>;
  readonly forMs: number;
}

/** Deletes what is finished. Several nodes on one store do it side by side. */
export class Retention {
  readonly #kept: readonly Kept[];
  readonly #around: RetentionPorts;
  #cancel: (() => void) | null = null;
  #deleting: Promise<void> | null = null;
  #deleted = 0;
  /** The moment of the next look, by the clock. */
  #expectedAt: EpochMs | null = null;
  #stopped = false;

  constructor({ retainSucceededMs, retainFailedMs }: RetentionOptions, around: RetentionPorts) {
    this.#around = around;
    this.#kept = [
      ...(retainSucceededMs === null ? [] : [{ status: 'succeed' as const, forMs: retainSucceededMs }]),
      ...(retainFailedMs === null ? [] : [{ status: 'failed' as const, forMs: retainFailedMs }]),
    ];
  }

  /** Begins to look, and goes on. */
  start(): void {
    if (this.#kept.length > 0) this.#lookAfter(lookEveryMs.least);
  }

  /** Begins no more portions; resolves when the last one is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#deleting;
  }

  #lookAfter(pauseMs: number): void {
    if (this.#stopped) return;
    this.#expectedAt = epochMs(Math.ceil(this.#around.clock.now() + pauseMs));
    this.#cancel = this.#around.timers.after(pauseMs, () => {
      this.#deleting = this.#look()
        .catch((error: unknown) => {
          this.#around.log.warn({ err: error }, 'deleting what is finished failed');
          return this.#idleMs();
        })
        .then((nextMs) => this.#lookAfter(nextMs));
    });
  }

  /** Deletes one portion of each kind. @returns when to look again */
  async #look(): Promise<number> {
    const { store, clock, log, isAsked } = this.#around;
    const began = clock.now();
    if (this.#hasJumped(began)) return jump.pauseMs;
    let isMore = false;
    for (const { status, forMs } of this.#kept) {
      const { count, more } = await store.purge({ status, finishedBefore: momentBefore(began, forMs), limit: portion });
      this.#deleted += count;
      isMore ||= more;
    }
    if (isMore) return Math.max(rest.leastMs, (clock.now() - began) * (isAsked() ? rest.asked : rest.unasked));
    if (this.#deleted > 0) log.info({ count: this.#deleted }, 'deleted finished transactions that were kept long enough');
    this.#deleted = 0;
    return this.#idleMs();
  }

  /** A clock that is wrong for a moment must not delete what is finished. */
  #hasJumped(now: EpochMs): boolean {
    const byMs = now - this.#expectedAt!;
    if (byMs < jump.leastMs) return false;
    this.#around.log.warn(
      { byMs, pauseMs: jump.pauseMs },
      'the clock has jumped forward: nothing finished is deleted for a while',
    );
    return true;
  }

  /** The shorter transactions are kept, the more often the node looks. */
  #idleMs(): number {
    const shortest = Math.min(...this.#kept.map(({ forMs }) => forMs));
    return Math.min(lookEveryMs.most, Math.max(lookEveryMs.least, shortest / 10));
  }
}

function momentBefore(now: EpochMs, ms: number): EpochMs {
  return epochMs(Math.max(0, now - ms));
}
