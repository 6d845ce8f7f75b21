/** A heap of moments, with one timer for the earliest. */
import type { EpochMs } from '@amends/core';
import type { Timers } from './ports.ts';

/** Something that can be woken. Its place in the heap is kept in `wakeSlot`, which nobody but the queue touches. */
export interface Wakeable<T extends number = EpochMs> {
  wakeSlot: number;
  wakeAt: T | null;
  wake(): void;
}

/** A longer timer is made of several, because the process's own end at 2^31 - 1 ms. Milliseconds. */
const timerMsMax = 3_600_000;

export class WakeQueue<T extends number = EpochMs> {
  readonly #clock: { now(): T };
  readonly #timers: Pick<Timers, 'after'>;
  readonly #heap: Wakeable<T>[] = [];
  #cancelTimer: (() => void) | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #stopped = false;

  /** @param clock whose moments these are */
  constructor(clock: { now(): T }, timers: Pick<Timers, 'after'>) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Sets, moves or (with null) removes the moment at which `item` is woken. */
  set(item: Wakeable<T>, wakeAt: T | null): void {
    if (item.wakeAt === wakeAt) return;
    if (item.wakeSlot >= 0) this.#remove(item);
    item.wakeAt = wakeAt;
    if (wakeAt === null) return;
    item.wakeSlot = this.#heap.length;
    this.#heap.push(item);
    this.#rise(item.wakeSlot);
    this.#arm();
  }

  /** Wakes what is due by now, and sets the timer anew, because the clock may have jumped. */
  look(): void {
    this.#cancelTimer?.();
    this.#fire();
  }

  /** Stops: nothing is woken any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (this.#stopped || first === undefined || first.wakeAt! >= this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = first.wakeAt!;
    this.#cancelTimer = this.#timers.after(Math.min(timerMsMax, Math.max(0, first.wakeAt! - this.#clock.now())), () =>
      this.#fire(),
    );
  }

  #fire(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#cancelTimer = null;
    if (this.#stopped) return;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.wakeAt! <= now; first = this.#heap[0]) {
      this.#remove(first);
      first.wakeAt = null;
      first.wake();
    }
    this.#arm();
  }

  #remove(item: Wakeable<T>): void {
    const slot = item.wakeSlot;
    item.wakeSlot = -1;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#heap[slot] = last;
    last.wakeSlot = slot;
    this.#rise(slot);
    this.#sink(last.wakeSlot);
  }

  #rise(from: number): void {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (this.#heap[parent]!.wakeAt! <= this.#heap[slot]!.wakeAt!) return;
      this.#swap(slot, parent);
      slot = parent;
    }
  }

  #sink(from: number): void {
    let slot = from;
    for (;;) {
      let least = slot;
      for (const child of [2 * slot + 1, 2 * slot + 2])
        if (child < this.#heap.length && this.#heap[child]!.wakeAt! < this.#heap[least]!.wakeAt!) least = child;
      if (least === slot) return;
      this.#swap(slot, least);
      slot = least;
    }
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a]!;
    const second = this.#heap[b]!;
    this.#heap[a] = second;
    this.#heap[b] = first;
    second.wakeSlot = a;
    first.wakeSlot = b;
  }
}
