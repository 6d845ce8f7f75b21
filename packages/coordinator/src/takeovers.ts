/**
 * Driving on what was claimed. What cannot be driven on is left alone: it stays with this node untouched, so that nobody
 * claims it again and again, and what the store refused is looked at again after a while.
 */
import { type Gid, isFinished } from '@amends/core';
import type { StoredTransaction } from '@amends/store';
import type { LiveMailboxes } from './live-mailboxes.ts';
import type { Mailbox, MailboxHost } from './mailbox.ts';
import type { Log, Timers } from './ports.ts';

/** A transaction that the store refused to take is looked at again after this. Milliseconds. */
const refusedPauseMs = 30_000;

interface Around {
  readonly host: MailboxHost;
  readonly mailboxes: LiveMailboxes;
  readonly timers: Timers;
  readonly log: Log;
  isRunning(): boolean;
  /** One that was taken over has come to rest. */
  onRest(): void;
}

/** Takes over, and knows what has not come to rest since and what is left alone. */
export class Takeovers {
  readonly #around: Around;
  readonly #underWay = new Set<Mailbox>();
  /** What no mailbox drives though this node owns it, with what cancels the next look at it. */
  readonly #leftAlone = new Map<Gid, () => void>();

  constructor(around: Around) {
    this.#around = around;
  }

  /** How many have not come to rest yet. */
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
    const { host, mailboxes, log } = this.#around;
    const atWork = mailboxes.get(gid);
    try {
      if (atWork === undefined) this.#begin(mailboxes.takeIn(host, stored));
      else atWork.takeUp(stored, () => this.adopt(stored));
    } catch (error) {
      log.error({ gid, err: error }, 'transaction cannot be driven: left alone');
      mailboxes.get(gid)?.abandon();
      this.#leftAlone.set(gid, () => {});
    }
  }

  #begin(mailbox: Mailbox): void {
    this.#leftAlone.delete(mailbox.gid);
    this.#underWay.add(mailbox);
    mailbox.start();
  }

  /** A mailbox waits for something, or has closed. */
  rests(mailbox: Mailbox): void {
    if (this.#underWay.delete(mailbox)) this.#around.onRest();
  }

  /** The store does not take what a mailbox has decided, which closes now. */
  refused(mailbox: Mailbox, message: string): void {
    this.#around.log.error({ gid: mailbox.gid, reason: message }, 'store refused a change');
    if (mailbox.tx !== null && !isFinished(mailbox.tx)) this.#lookAgainLater(mailbox.gid);
  }

  #lookAgainLater(gid: Gid): void {
    const { host, timers, isRunning } = this.#around;
    const cancel = timers.after(refusedPauseMs, () => {
      if (!isRunning()) return;
      host.load(gid).then(
        (stored) => {
          this.#leftAlone.delete(gid);
          if (stored?.row.owner === host.node) this.adopt(stored);
        },
        () => this.#lookAgainLater(gid),
      );
    });
    this.#leftAlone.set(gid, cancel);
  }

  /** Looks at nothing any more. */
  stop(): void {
    for (const cancel of this.#leftAlone.values()) cancel();
  }
}
