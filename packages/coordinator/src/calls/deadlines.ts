/** When the time of each call is over: one timer for all of them, because most end long before. */
import { backgroundTimers, stopwatch } from '../ports/host.ts';
import { type Wakeable, WakeQueue } from '../ports/wake-queue.ts';

/** A call; woken when its time is over. */
export type Timed = Wakeable<number>;

/** The deadlines of the calls of one transport, by the process's stopwatch. Connections keep the process alive, these do not. */
export class Deadlines {
  readonly #queue = new WakeQueue<number>(stopwatch, backgroundTimers);

  /** Wakes a call when its time is over. Milliseconds from now. */
  set(call: Timed, inMs: number): void {
    this.#queue.set(call, stopwatch.now() + inMs);
  }

  /** The call has ended. */
  clear(call: Timed): void {
    this.#queue.set(call, null);
  }
}
