/**
 * The places of one transaction's calls: those that were offered to it, those of the calls that its next commit starts, and the
 * hosts at which it waits for more. What is offered here and not used is given back.
 */
import type { Decided, OpName, ReadyCall } from '@amends/core';
import type { Place, Places, Waiter } from '../calls/places.ts';

/** A call that is to begin, and its place. */
export interface Seat extends OpName {
  readonly place: Place;
}

const noSeats: readonly Seat[] = [];
const nowhere: ReadonlySet<string> = new Set();

/** Takes, keeps and gives back the places of one transaction. */
export class Seating implements Waiter {
  readonly #places: Places;
  readonly #owner: { offered(): void };
  #seats: readonly Seat[] = noSeats;
  #offers: Place[] = [];
  #waitsAt: ReadonlySet<string> = nowhere;

  /** @param owner is told when a place has been offered */
  constructor(places: Places, owner: { offered(): void }) {
    this.#places = places;
    this.#owner = owner;
  }

  /** Whether a call waits for its place. */
  get waits(): boolean {
    return this.#waitsAt.size > 0;
  }

  /** Whether a place was offered that is not used yet. */
  get hasOffer(): boolean {
    return this.#offers.length > 0;
  }

  /** How long the transaction may stay away and still have its turn where it waits. Milliseconds. */
  get pauseMs(): number {
    return Math.min(...Array.from(this.#waitsAt, (host) => this.#places.pauseMs(host)));
  }

  offered(place: Place): void {
    this.#waitsAt = new Set([...this.#waitsAt].filter((host) => host !== place.host));
    this.#offers.push(place);
    this.#owner.offered();
  }

  /** Seats for what is ready: places that were offered first, then such as are free. */
  take(ready: readonly ReadyCall[]): readonly Seat[] {
    if (ready.length === 0 && !this.hasOffer) return noSeats;
    const offers = this.#offers;
    this.#offers = [];
    const seats: Seat[] = [];
    for (const { branch, way, url } of ready) {
      const host = this.#places.hostOf(url);
      const offered = offers.findIndex((offer) => offer.host === host);
      const place = offered >= 0 ? offers.splice(offered, 1)[0]! : this.#places.take(host);
      if (place !== null) seats.push({ branch, way, place });
    }
    for (const offer of offers) offer.release();
    return seats;
  }

  /** Keeps the seats of the calls that a decision starts until its commit is answered. */
  keep(seats: readonly Seat[], { effects }: Decided): void {
    this.#seats = seats.filter((seat) => effects.some((effect) => isSameOp(effect, seat)));
    for (const seat of seats) if (!this.#seats.includes(seat)) seat.place.release();
  }

  /** The commit was applied: hands out the seats, whose places the calls give back. */
  handOut(): readonly Seat[] {
    const seats = this.#seats;
    this.#seats = noSeats;
    return seats;
  }

  /** The commit was not applied. */
  giveBack(): void {
    for (const { place } of this.handOut()) place.release();
  }

  /** Whether every host of what is ready has room for one more that waits. */
  hasRoom(ready: readonly ReadyCall[]): boolean {
    return ready.every(({ url }) => this.#places.hasRoom(this.#places.hostOf(url), this));
  }

  /** From now on it waits for what is ready, and for nothing else. A place that is free is offered at once. */
  waitFor(ready: readonly ReadyCall[]): void {
    if (ready.length === 0 && !this.waits) return;
    const hosts = ready.length === 0 ? nowhere : new Set(ready.map(({ url }) => this.#places.hostOf(url)));
    const before = this.#waitsAt;
    this.#waitsAt = hosts;
    for (const host of before) if (!hosts.has(host)) this.#places.leave(host, this);
    for (const host of hosts) this.#places.wait(host, this);
  }

  /** Waits for nothing, and gives everything back. */
  close(): void {
    this.waitFor([]);
    this.giveBack();
    for (const offer of this.#offers) offer.release();
    this.#offers = [];
  }
}

/** Whether two names are of the same op of the same branch. */
export function isSameOp(one: OpName, other: OpName): boolean {
  return one.branch === other.branch && one.way === other.way;
}
