/**
 * A call needs a place at its participant's host, and a host has a fixed number of them. A transaction that finds no free place
 * waits in the queue of that host. It stands there once, however many calls it wants to make; when it wants more than it got, it
 * goes to the end of the queue again. So a dead host fills only its own queue, and a transaction of a thousand branches does not
 * keep out those of one. Nothing that waits here has been started.
 */
import type { Clock } from '../ports/ports.ts';
import type { AddressBook } from './address/address-book.ts';

/** A place for one call. */
export interface Place {
  readonly host: string;
  /**
   * Gives it to whoever is next. Idempotent.
   * @param told runs when the place is free and offered to nobody yet. A transaction that hears there how its call ended decides
   * about that before it is offered a place for something else
   */
  release(told?: () => void): void;
}

/** A transaction that waits for places. */
export interface Waiter {
  /** Gets a place, which it must use or release. It has left that host's queue. */
  offered(place: Place): void;
}

/** Bounds of one host. */
export interface PlacesBounds {
  /** Calls at once. */
  readonly perHostMax: number;
  /** Waiters in memory. */
  readonly waitingMax: number;
}

interface Host {
  inFlight: number;
  /** Those that wait, with the moment since which each does. Milliseconds. */
  readonly queue: Map<Waiter, number>;
  /** The last one that was served had waited this long. Milliseconds. */
  lastWaitMs: number;
  isOffering: boolean;
}

/** A transaction that comes again later stays away this long at least, however soon its turn may come. Milliseconds. */
const pauseMsMin = 1_000;
const pauseMsMax = 3_600_000;

/** Knows who calls which host and who waits for it. */
export class Places {
  readonly #bounds: PlacesBounds;
  readonly #clock: Clock;
  readonly #hosts = new Map<string, Host>();
  readonly #addresses: Pick<AddressBook, 'of'>;
  #waiting = 0;
  #closed = false;

  constructor(bounds: PlacesBounds, clock: Clock, addresses: Pick<AddressBook, 'of'>) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#addresses = addresses;
  }

  /** How many wait, counted once for each host. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The host that a call of this URL needs a place at. */
  hostOf(url: string): string {
    return this.#addresses.of(url).host;
  }

  /** A place that is free and that nobody waits for; null: there is none. */
  take(name: string): Place | null {
    const host = this.#host(name);
    if (this.#closed || host.queue.size > 0 || host.inFlight >= this.#bounds.perHostMax) return null;
    return this.#place(name, host);
  }

  /** Whether this one may wait for a host, too. */
  hasRoom(name: string, waiter: Waiter): boolean {
    const { queue } = this.#host(name);
    return queue.size < this.#bounds.waitingMax || queue.has(waiter);
  }

  /** Begins to wait; one that waits already keeps its turn. A place that is free now is offered before this returns. */
  wait(name: string, waiter: Waiter): void {
    const host = this.#host(name);
    if (host.queue.has(waiter)) return;
    host.queue.set(waiter, this.#clock.now());
    this.#waiting += 1;
    this.#offer(name, host);
  }

  /** Ends the waiting. */
  leave(name: string, waiter: Waiter): void {
    const host = this.#hosts.get(name);
    if (host === undefined || !host.queue.delete(waiter)) return;
    this.#waiting -= 1;
    this.#forgetIdle(name, host);
  }

  /** A transaction may stay away this long and still be back before those that wait now are through. Milliseconds. */
  pauseMs(name: string): number {
    const { queue, lastWaitMs } = this.#host(name);
    const [since = this.#clock.now()] = queue.values();
    const waitMs = Math.max(lastWaitMs, this.#clock.now() - since);
    return Math.min(pauseMsMax, Math.max(pauseMsMin, waitMs / 2));
  }

  /** Whether nobody gets a place any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** From now on nobody gets a place. */
  close(): void {
    this.#closed = true;
  }

  #host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = { inFlight: 0, queue: new Map(), lastWaitMs: 0, isOffering: false };
    this.#hosts.set(name, host);
    return host;
  }

  #place(name: string, host: Host): Place {
    host.inFlight += 1;
    let isHeld = true;
    const release = (told = () => {}) => {
      const wasHeld = isHeld;
      isHeld = false;
      if (wasHeld) host.inFlight -= 1;
      try {
        told();
      } finally {
        if (wasHeld) this.#offer(name, host);
      }
    };
    return { host: name, release };
  }

  /** A waiter may release its place at once, from within this loop. Then the loop goes on instead of nesting. */
  #offer(name: string, host: Host): void {
    if (host.isOffering) return;
    host.isOffering = true;
    try {
      while (!this.#closed && host.inFlight < this.#bounds.perHostMax && host.queue.size > 0) this.#offerToFirst(name, host);
    } finally {
      host.isOffering = false;
    }
    this.#forgetIdle(name, host);
  }

  #offerToFirst(name: string, host: Host): void {
    const [[waiter, since]] = host.queue as Iterable<[Waiter, number]> as [[Waiter, number]];
    host.queue.delete(waiter);
    this.#waiting -= 1;
    host.lastWaitMs = this.#clock.now() - since;
    waiter.offered(this.#place(name, host));
  }

  #forgetIdle(name: string, host: Host): void {
    if (host.inFlight === 0 && host.queue.size === 0 && this.#hosts.get(name) === host) this.#hosts.delete(name);
  }
}
