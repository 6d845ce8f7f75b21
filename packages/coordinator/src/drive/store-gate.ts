/**
 * What to do while the store cannot be used: refuse new work, keep what waits, ask again at a steady pace, go on.
 */
import type { Store } from '@amends/store';
import type { Log, Timers } from '../ports/ports.ts';

const probeEveryMs = 500;

export class StoreGate {
  readonly #store: Store;
  readonly #timers: Timers;
  readonly #log: Log;
  #reason = '';
  #waiting: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  #cancelProbe: (() => void) | null = null;
  #stopped = false;

  constructor(store: Store, timers: Timers, log: Log) {
    this.#store = store;
    this.#timers = timers;
    this.#log = log;
  }

  /** Why the store cannot be used; empty while it can. */
  get reason(): string {
    return this.#reason;
  }

  /** The store refused; `retry` is called when it may work again. */
  pause(error: unknown, retry: () => void): void {
    this.#waiting.push(retry);
    if (this.#reason === '') this.#log.error({ err: error }, 'store unavailable: paused until it can be used again');
    this.#reason = error instanceof Error ? error.message : String(error);
    this.#probeLater();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` whenever the store refuses; @returns a function that ends that */
  onFailure(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks no more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelProbe?.();
  }

  #probeLater(): void {
    if (this.#stopped || this.#cancelProbe !== null) return;
    this.#cancelProbe = this.#timers.after(probeEveryMs, () => {
      this.#cancelProbe = null;
      this.#store.ping().then(
        () => this.#reopen(),
        () => this.#probeLater(),
      );
    });
  }

  #reopen(): void {
    this.#reason = '';
    this.#log.info({ waiting: this.#waiting.length }, 'store answers again');
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const retry of waiting) retry();
  }
}
