/**
 * The places of one transaction's calls: those that were offered to it, those of the calls that its next commit starts, and the
 * hosts at which it waits for more. What is offered here and not used is given back.
 */
import type { CallEffect, OpName, ReadyCall } from '@amends/core';
import type { Place, Places, Waiter } from '../calls/places.ts';

/** A call that is to begin, and its place. */
interface Seat extends OpName {
  readonly place: Place;
}

const noSeats: readonly Seat[] = [];
const nowhere: ReadonlySet<string> = new Set();

/** Takes, keeps and gives back the places of one transaction. */
export class Seating implements Waiter {
  readonly #places: Places;
  readonly #onOffer: () => void;
  #seats: readonly Seat[] = noSeats;
  #offers: Place[] = [];
  #waitsAt: ReadonlySet<string> = nowhere;

  /** @param onOffer is called when a place has been offered */
  constructor(places: Places, onOffer: () => void) {
    this.#places = places;
    this.#onOffer = onOffer;
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
    this.#onOffer();
  }

  /** Takes seats for what is ready: places that were offered first, then such as are free. @returns what has got one */
  take(ready: readonly ReadyCall[]): readonly OpName[] {
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
    this.#seats = seats;
    return seats;
  }

  /** Keeps the seats just taken for these calls, until they are made or are not to be made; gives back the others. */
  keep(calls: readonly CallEffect[]): void {
    const seats = this.#seats;
    this.#seats = seats.filter((seat) => calls.some((call) => isSameOp(call, seat)));
    for (const seat of seats) if (!this.#seats.includes(seat)) seat.place.release();
  }

  /** The place of a call that is made now; the call gives it back. */
  handOut(call: OpName): Place {
    const seat = this.#seats.find((one) => isSameOp(one, call))!;
    this.#seats = this.#seats.length === 1 ? noSeats : this.#seats.filter((one) => one !== seat);
    return seat.place;
  }

  /** No call is made at the seats that are still kept. */
  giveBack(): void {
    const seats = this.#seats;
    this.#seats = noSeats;
    for (const { place } of seats) place.release();
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
function isSameOp(one: OpName, other: OpName): boolean {
  return one.branch === other.branch && one.way === other.way;
}
