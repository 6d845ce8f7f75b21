/**
 * Drives on what was claimed. A transaction that cannot be read is put on hold. Any other that cannot be driven on is left alone:
 * it stays with this node untouched, so that nobody claims it again and again. What the store refused is looked at again after a
 * while.
 */
import { type AmendsError, type Gid, isFinished, type TransactionRow } from '@amends/core';
import type { Store, StoredTransaction } from '@amends/store';
import type { Drive } from '../drive/drive.ts';
import type { Mailbox } from '../drive/mailbox.ts';
import { unreadableBecause } from '../drive/readable.ts';
import { holdUnread } from '../drive/unreadable.ts';
import type { Digest, Log, Timers } from '../ports/ports.ts';

/**
 * One that was taken over counts as under way for this long at most, so that those which wait for a host that hangs do not
 * keep out the others. Milliseconds.
 */
const underWayMsMax = 250;

/** A transaction that the store refused to take is looked at again after this. Milliseconds. */
const refusedPauseMs = 30_000;

interface TakeOverPorts {
  readonly drive: Drive;
  readonly store: Pick<Store, 'load'>;
  readonly digest: Digest;
  readonly timers: Timers;
  readonly log: Log;
  isRunning(): boolean;
  /** There is one less under way. */
  onRest(): void;
}

/** Takes transactions over. It knows which of them have not come to rest since, and which are left alone. */
export class Takeovers {
  readonly #around: TakeOverPorts;
  /** With what cancels the timer of each. */
  readonly #underWay = new Map<Mailbox, () => void>();
  /** What no mailbox drives though this node owns it, with what cancels the next look at it. */
  readonly #leftAlone = new Map<Gid, () => void>();

  constructor(around: TakeOverPorts) {
    this.#around = around;
  }

  /** How many have begun a moment ago and not come to rest yet. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** What this node owns and leaves alone on purpose. */
  leftAlone(): readonly Gid[] {
    return [...this.#leftAlone.keys()];
  }

  /** Drives a claimed transaction on; a mailbox that is at work on it already goes on from there. Stopping: leaves it. */
  adopt(stored: StoredTransaction): void {
    if (!this.#around.isRunning()) return;
    const { gid } = stored.row;
    const { drive, digest, log } = this.#around;
    const problem = unreadableBecause(stored, digest);
    if (problem !== null) return this.#setAside(stored.row, problem);
    const atWork = drive.mailboxes.get(gid);
    try {
      if (atWork === undefined) this.#begin(drive.takeIn(stored));
      else atWork.takeUp(stored, () => this.adopt(stored));
    } catch (error) {
      log.error({ gid, err: error }, 'transaction cannot be driven: left alone');
      drive.mailboxes.get(gid)?.abandon();
      this.#leftAlone.set(gid, () => {});
    }
  }

  #begin(mailbox: Mailbox): void {
    this.#leftAlone.delete(mailbox.gid);
    this.#underWay.set(
      mailbox,
      this.#around.timers.after(underWayMsMax, () => this.rests(mailbox)),
    );
    mailbox.start();
  }

  /** A mailbox waits for something, or has closed. */
  rests(mailbox: Mailbox): void {
    this.#underWay.get(mailbox)?.();
    if (this.#underWay.delete(mailbox)) this.#around.onRest();
  }

  /** The store does not take what a mailbox has decided, which closes now. */
  refused(mailbox: Mailbox, message: string): void {
    this.#around.log.error({ gid: mailbox.gid, reason: message }, 'store refused a change');
    if (mailbox.tx !== null && !isFinished(mailbox.tx)) this.#lookAgainLater(mailbox.gid);
  }

  /** What is wrong with one transaction must not keep the others of its commit from going on. */
  failed(gid: Gid, error: unknown): void {
    this.#around.drive.mailboxes.get(gid)?.abandon();
    this.#lookAgainLater(gid);
    this.#around.log.error({ gid, err: error }, 'transaction cannot be driven: looked at again later');
  }

  /** What cannot be read goes on hold, where it is seen and nobody claims it. Should that fail, it is looked at again later. */
  #setAside(row: TransactionRow, problem: AmendsError): void {
    const { gid } = row;
    const { drive, log } = this.#around;
    log.error({ gid, err: problem }, 'transaction cannot be read: on hold, needs attention');
    drive.mailboxes.get(gid)?.abandon();
    this.#leftAlone.set(gid, () => {});
    const change = holdUnread(row, drive.moment().at);
    drive.commit(change, ({ fate }) => {
      if (fate !== 'applied') return this.#lookAgainLater(gid);
      this.#leftAlone.delete(gid);
      drive.committedUnread(row, change);
    });
  }

  #lookAgainLater(gid: Gid): void {
    const { drive, store, timers, isRunning } = this.#around;
    const cancel = timers.after(refusedPauseMs, () => {
      if (!isRunning()) return;
      store.load([gid]).then(
        ([stored]) => {
          this.#leftAlone.delete(gid);
          if (stored?.row.owner === drive.node) this.adopt(stored);
        },
        () => this.#lookAgainLater(gid),
      );
    });
    this.#leftAlone.set(gid, cancel);
  }

  /** Looks at nothing any more. */
  stop(): void {
    for (const cancel of [...this.#leftAlone.values(), ...this.#underWay.values()]) cancel();
  }
}
