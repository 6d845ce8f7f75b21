/**
 * Places at participants' hosts: so many calls at once to each. Whoever finds none waits in the queue of that host, in
 * order; each has one place in the queue however many calls it wants to make, and comes to the end of it again when it wants more
 * than it got. So a dead host fills its own queue and nobody else's, and a transaction of a thousand branches does not keep
 * out those of one. Nothing that waits here has been started.
 */
import type { Clock } from '../ports/ports.ts';
import type { AddressBook } from './address/address-book.ts';

/** A place for one call. */
export interface Place {
  readonly host: string;
  /**
   * Gives it to whoever is next. Idempotent.
   * @param told runs when the place is free but offered to nobody yet: whoever hears there how the call ended decides before it
   * is offered a place for something else
   */
  release(told?: () => void): void;
}

/** Somebody who waits for places. */
export interface Waiter {
  /** A place is there: it must be used or released. The waiter has left that host's queue. */
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
  /** With the moment from which on each waits. Milliseconds. */
  readonly queue: Map<Waiter, number>;
  /** How long whoever was served last had waited. Milliseconds. */
  lastWaitMs: number;
  isOffering: boolean;
}

/** What comes again later leaves the memory for this long at least, however soon its turn may come. Milliseconds. */
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

  /** Whether one waiter more may wait for a host. */
  hasRoom(name: string, waiter: Waiter): boolean {
    const { queue } = this.#host(name);
    return queue.size < this.#bounds.waitingMax || queue.has(waiter);
  }

  /** Waits for a place; who waits for one already keeps its turn. One that is free now is offered before this returns. */
  wait(name: string, waiter: Waiter): void {
    const host = this.#host(name);
    if (host.queue.has(waiter)) return;
    host.queue.set(waiter, this.#clock.now());
    this.#waiting += 1;
    this.#offer(name, host);
  }

  /** Waits no more. */
  leave(name: string, waiter: Waiter): void {
    const host = this.#hosts.get(name);
    if (host === undefined || !host.queue.delete(waiter)) return;
    this.#waiting -= 1;
    this.#forgetIdle(name, host);
  }

  /** How long one may stay away from a host and still be back before those that wait for it now are through. Milliseconds. */
  pauseMs(name: string): number {
    const { queue, lastWaitMs } = this.#host(name);
    const [since = this.#clock.now()] = queue.values();
    const waitMs = Math.max(lastWaitMs, this.#clock.now() - since);
    return Math.min(pauseMsMax, Math.max(pauseMsMin, waitMs / 2));
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

  /** Who is offered a place may release it at once, from within this loop: then the loop goes on, not deeper. */
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
