/**
 * Virtual time: a heap of events. One event runs, then every microtask that follows from it, then the next event; so
 * what happens depends on the seed alone, and waiting costs nothing.
 */

interface Scheduled {
  readonly at: number;
  /** Breaks ties: first scheduled, first run. */
  readonly order: number;
  run: (() => void) | null;
}

export class VirtualTime {
  readonly #heap: Scheduled[] = [];
  #order = 0;
  #now = 0;

  /** Milliseconds since the start of the simulation, with fractions. */
  get now(): number {
    return this.#now;
  }

  /** Runs something after a pause. @returns a function that cancels it; idempotent */
  after(delayMs: number, run: () => void): () => void {
    const scheduled: Scheduled = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(scheduled);
    return () => {
      scheduled.run = null;
    };
  }

  /** Resolves after a pause. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Runs events until `done` says so or nothing is left; an error thrown by an event ends it. */
  run(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          if (done() || !this.#runNext()) return resolve();
        } catch (error) {
          return reject(error);
        }
        // A tick that is asked for in a microtask comes after all microtasks that are ready, and theirs.
        queueMicrotask(() => process.nextTick(step));
      };
      process.nextTick(step);
    });
  }

  #runNext(): boolean {
    for (let next = this.#pop(); next !== undefined; next = this.#pop()) {
      if (next.run === null) continue;
      this.#now = next.at;
      next.run();
      return true;
    }
    return false;
  }

  #push(item: Scheduled): void {
    const heap = this.#heap;
    let slot = heap.length;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!isBefore(item, heap[parent]!)) break;
      heap[slot] = heap[parent]!;
      slot = parent;
    }
    heap[slot] = item;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let slot = 0;
    for (let child = 1; child < heap.length; child = 2 * slot + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[slot] = heap[child]!;
      slot = child;
    }
    heap[slot] = last;
    return first;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
