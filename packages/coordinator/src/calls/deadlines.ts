/** The deadlines of calls. They share one timer, because most calls end long before their deadline. */
import { backgroundTimers, stopwatch } from '../ports/host.ts';
import { type Wakeable, WakeQueue } from '../ports/wake-queue.ts';

/** A call that is woken when its time is over. */
export type Timed = Wakeable<number>;

/** The deadlines of one transport's calls. They do not keep the process alive; the connections of the calls do. */
export class Deadlines {
  readonly #queue = new WakeQueue<number>(stopwatch, backgroundTimers);

  /** Wakes a call after this time. Milliseconds. */
  set(call: Timed, inMs: number): void {
    this.#queue.set(call, stopwatch.now() + inMs);
  }

  /** Forgets a call that has ended. */
  clear(call: Timed): void {
    this.#queue.set(call, null);
  }
}
