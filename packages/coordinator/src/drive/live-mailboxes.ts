/**
 * The mailboxes in memory, and how much they may be. When that is reached, those that only wait go back to the store,
 * and for a while this node holds nothing that is not busy or due in a moment; so what waits for a dead host keeps
 * nobody else out.
 */

import type { Gid } from '@amends/core';
import type { Clock } from '../ports/ports.ts';
import type { Mailbox } from './mailbox.ts';
import { horizonMs } from './placement.ts';

/** How much may be in memory before new work is refused. */
export interface LiveBounds {
  /** Transactions that are busy or due in a moment. */
  readonly liveMax: number;
  /** What was requested for them and what they have recorded, together. Bytes. */
  readonly requestBytesMax: number;
}

/** Where a mailbox is found while it lives. */
interface Slot {
  mailbox: Mailbox | null;
  /** What of it is counted among the bytes of all. */
  countedBytes: number;
}

/** What is due within this stays in memory even when there is little room. Milliseconds. */
const nearMs = 1_000;

/** Knows all mailboxes by gid and keeps them within bounds. */
export class LiveMailboxes {
  readonly #bounds: LiveBounds;
  readonly #clock: Clock;
  /**
   * A map that changes all the time is built anew all the time, and what its old tables point at stays in memory until the
   * next full collection of garbage. So the map points at slots, and a slot is emptied at once when its mailbox has closed.
   */
  readonly #byGid = new Map<Gid, Slot>();
  /** Those that are being handed back to the store. */
  readonly #leaving = new Set<Mailbox>();
  #busyBytes = 0;
  #tightUntil = 0;
  #sweepAgainAt = 0;
  #crowdedUntil = 0;

  constructor(bounds: LiveBounds, clock: Clock) {
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** Transactions in memory, those included that are on their way back to the store. */
  get size(): number {
    return this.#byGid.size;
  }

  /** What is due later than this from now belongs into the store. Milliseconds. */
  get horizonMs(): number {
    return this.#clock.now() < this.#tightUntil ? nearMs : horizonMs;
  }

  /**
   * What is due later than this from now is not claimed. While transactions go back for want of room to wait for their host,
   * only what is due by now is: else they would come back at once. Milliseconds.
   */
  get claimHorizonMs(): number {
    return this.#clock.now() < this.#crowdedUntil ? 0 : this.horizonMs;
  }

  get(gid: Gid): Mailbox | undefined {
    return this.#byGid.get(gid)?.mailbox ?? undefined;
  }

  /** All of them, as they are now. */
  all(): readonly Mailbox[] {
    return Array.from(this.#byGid.values(), ({ mailbox }) => mailbox!);
  }

  gids(): readonly Gid[] {
    return [...this.#byGid.keys()];
  }

  add(mailbox: Mailbox): void {
    const slot = { mailbox, countedBytes: 0 };
    this.#byGid.set(mailbox.gid, slot);
    this.#count(slot, mailbox.bytes);
  }

  /** Forgets a mailbox that has closed. */
  remove(mailbox: Mailbox): void {
    const slot = this.#byGid.get(mailbox.gid);
    if (slot?.mailbox !== mailbox) return;
    slot.mailbox = null;
    this.#leaving.delete(mailbox);
    this.#byGid.delete(mailbox.gid);
    this.#count(slot, 0);
  }

  /** A mailbox goes on, even if it was on its way back to the store; it may have grown. */
  stays(mailbox: Mailbox): void {
    const slot = this.#byGid.get(mailbox.gid);
    if (slot?.mailbox !== mailbox) return;
    this.#leaving.delete(mailbox);
    this.#count(slot, mailbox.bytes);
  }

  #count(slot: Slot, bytes: number): void {
    this.#busyBytes += bytes - slot.countedBytes;
    slot.countedBytes = bytes;
  }

  /** How many more may come in now; hands back what only waits when there is no room. */
  room(): number {
    if (this.#free() === 0) this.#tighten();
    return this.#free();
  }

  #free(): number {
    const { liveMax, requestBytesMax } = this.#bounds;
    return this.#busyBytes < requestBytesMax ? Math.max(0, liveMax - this.#byGid.size + this.#leaving.size) : 0;
  }

  /** Looks through all of them at most once in a while: each that comes to rest meanwhile goes by the horizon itself. */
  #tighten(): void {
    const now = this.#clock.now();
    this.#tightUntil = now + horizonMs;
    if (now < this.#sweepAgainAt) return;
    this.#sweepAgainAt = now + nearMs;
    for (const mailbox of this.all()) if ((mailbox.awayUntil ?? 0) > now + nearMs) this.handBack(mailbox);
  }

  /** Gives one back to the store; from now on it takes no room. */
  handBack(mailbox: Mailbox): void {
    if (mailbox.waitsForPlace) this.#crowdedUntil = this.#clock.now() + horizonMs;
    const slot = this.#byGid.get(mailbox.gid);
    if (slot?.mailbox === mailbox) {
      this.#leaving.add(mailbox);
      this.#count(slot, 0);
    }
    mailbox.handBack();
  }
}
