/**
 * All that transactions are driven with on this node: their mailboxes, the places at hosts, the calls, the wakes, the
 * commits, and what to do while the store is away.
 */
import type { EpochMs, Gid, NodeId, Spec, StoredSpec, TransactionRow } from '@amends/core';
import { isFinished, isQuiet } from '@amends/core';
import type { Change, Store, StoredTransaction } from '@amends/store';
import type { AddressBook } from '../calls/address/address-book.ts';
import { Places } from '../calls/places.ts';
import type { CallObserver, Clock, Committed, Digest, Log, Observer, Random, Timers, Transport } from '../ports/ports.ts';
import { WakeQueue } from '../ports/wake-queue.ts';
import { type CommitResult, createGroupCommit, type GroupCommit } from './group-commit.ts';
import { LiveMailboxes } from './live-mailboxes.ts';
import { Mailbox, type MailboxPorts, type MailboxReports } from './mailbox.ts';
import { Outbound, type OutgoingCall } from './outbound.ts';
import type { Moment, Ready } from './phases.ts';
import { unreadableBecause } from './readable.ts';
import { StoreGate } from './store-gate.ts';
import { salvage } from './unreadable.ts';

/** What a drive is made of. */
export interface DriveParts {
  readonly node: NodeId;
  readonly store: Store;
  readonly transport: Transport;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly digest: Digest;
  readonly log: Log;
  readonly observer: Observer;
  /** Hear of each outcome before anything follows from it. */
  readonly callObservers: readonly CallObserver[];
  /** Calls at once to one participant host. */
  readonly perHostInFlightMax: number;
  /** Bounds of what is in memory, as `LiveBounds` has them. */
  readonly liveMax: number;
  readonly requestBytesMax: number;
  /** Hears what becomes of mailboxes. */
  readonly watcher: DriveWatcher;
}

/** Who looks after what is driven. */
export interface DriveWatcher {
  /** A mailbox waits for something, or has closed. */
  rests(mailbox: Mailbox): void;
  /** The store did not take what a mailbox had decided. */
  refused(mailbox: Mailbox, message: string): void;
  /** A transaction cannot be driven on: what is stored cannot be understood, or something has thrown. */
  failed(gid: Gid, error: unknown): void;
}

/** Of the transactions in memory, this part may wait for one host; more wait in the store. */
const waitingShare = 0.5;

/** Drives transactions. */
export class Drive implements MailboxPorts, MailboxReports {
  readonly node: NodeId;
  readonly places: Places;
  readonly mailboxes: LiveMailboxes;
  readonly gate: StoreGate;
  readonly wakes: WakeQueue;
  readonly reports: MailboxReports = this;
  readonly #parts: DriveParts;
  readonly #commits: GroupCommit;
  readonly #outbound: Outbound;
  #whenIdle: (() => void) | null = null;

  constructor(parts: DriveParts) {
    const { node, store, clock, timers, log, liveMax, perHostInFlightMax: perHostMax, addresses } = parts;
    this.#parts = parts;
    this.node = node;
    this.places = new Places({ perHostMax, waitingMax: Math.max(1, liveMax * waitingShare) }, clock, addresses);
    this.mailboxes = new LiveMailboxes(parts, clock);
    this.gate = new StoreGate(store, timers, log);
    this.wakes = new WakeQueue(clock, timers);
    this.#commits = createGroupCommit(store, { timers, log });
    this.#outbound = new Outbound({ ...parts, observers: parts.callObservers, onEnd: () => this.#whenIdle?.() });
  }

  /** Calls in flight. */
  get calling(): number {
    return this.#outbound.calling;
  }

  /** Changes that wait for their commit. */
  get uncommitted(): number {
    return this.#commits.pending();
  }

  /** A mailbox for a transaction that is to begin: its first event begins it. */
  begin(gid: Gid, spec: Spec, stored: StoredSpec): Mailbox {
    const mailbox = Mailbox.forNew(this, gid, spec, stored);
    this.mailboxes.add(mailbox);
    return mailbox;
  }

  /** A mailbox for a transaction as it was read. What is finished has nothing to do and is not kept. */
  takeIn(stored: StoredTransaction): Mailbox {
    const mailbox = Mailbox.forStored(this, stored);
    if (!isFinished(mailbox.tx!)) this.mailboxes.add(mailbox);
    return mailbox;
  }

  /** Lets what is under way end, writes what is not written yet, and closes everything. Resolves when nothing is in flight. */
  async finish(): Promise<void> {
    this.wakes.stop();
    this.#writeBack();
    await this.#idle();
    this.#writeBack();
    await this.#idle();
  }

  /** Nothing is started any more: says so in the store, so that whoever drives on need not take it for possible. */
  #writeBack(): void {
    for (const mailbox of this.mailboxes.all()) if (mailbox.isAhead || mailbox.tx?.aheadUntil != null) mailbox.handBack();
  }

  /** Drives nothing any more, whatever is under way. Resolves when calls are broken off. */
  stop(): Promise<void> {
    for (const mailbox of this.mailboxes.all()) mailbox.abandon();
    this.gate.stop();
    return this.#outbound.close();
  }

  /** Resolves when nothing is in flight. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = () => {
        if (this.calling === 0 && this.uncommitted === 0) resolve();
      };
      this.#whenIdle();
    });
  }

  get horizonMs(): number {
    return this.mailboxes.horizonMs;
  }

  get mayRunAhead(): boolean {
    const { clock } = this.#parts;
    return !this.places.isClosed && (clock.isSteady?.() ?? true);
  }

  moment(): Moment {
    return { at: this.#parts.clock.now(), jitter: this.#parts.random.fraction() };
  }

  after(delayMs: number, run: () => void): void {
    this.#parts.timers.after(delayMs, run);
  }

  commit(change: Change, done: (result: CommitResult) => void): void {
    this.#commits.commit(change, (result) => {
      done(result);
      this.#whenIdle?.();
    });
  }

  /** @throws AmendsError `store_refused`, when what is stored cannot be read */
  async load(gid: Gid): Promise<StoredTransaction | null> {
    const { store, digest } = this.#parts;
    const [stored = null] = await store.load([gid]);
    const problem = stored === null ? null : unreadableBecause(stored, digest);
    if (problem !== null) throw problem;
    return stored;
  }

  call(call: OutgoingCall): void {
    void this.#outbound.call(call);
  }

  wakeAt(mailbox: Mailbox, at: EpochMs | null): void {
    this.wakes.set(mailbox, at);
  }

  storeFailed(error: unknown, retry: () => void): void {
    this.gate.pause(error, retry);
  }

  // ── what mailboxes report ────────────────────────────────────────────────────────────────────────────────────────

  committed({ previous, next, given, change: { history } }: NonNullable<Ready['committed']>): void {
    this.#observe({ previous, next, given, history });
  }

  /** The same for a transaction that cannot be read, which has no mailbox. */
  committedUnread(before: TransactionRow, { row, history }: Change): void {
    this.#observe({ previous: salvage(before), next: salvage(row), given: null, history });
  }

  /** An observer is anybody's code: what it throws must not keep what was committed from being acted on. */
  #observe(committed: Committed): void {
    const { observer, log } = this.#parts;
    try {
      observer(committed);
    } catch (error) {
      log.error({ gid: committed.next.gid, err: error }, 'an observer of commits failed');
    }
  }

  rests(mailbox: Mailbox): void {
    this.mailboxes.stays(mailbox);
    if (mailbox.tx !== null && isQuiet(mailbox.tx)) this.#parts.watcher.rests(mailbox);
  }

  crowded(mailbox: Mailbox): void {
    this.mailboxes.handBack(mailbox);
  }

  closed(mailbox: Mailbox): void {
    this.mailboxes.remove(mailbox);
    this.#parts.watcher.rests(mailbox);
  }

  refused(mailbox: Mailbox, message: string): void {
    this.#parts.watcher.refused(mailbox, message);
  }

  failed(mailbox: Mailbox, error: unknown): void {
    this.#parts.watcher.failed(mailbox.gid, error);
  }

  threw({ gid }: Mailbox, error: unknown): void {
    this.#parts.log.error({ gid, err: error }, 'somebody who was told of a transaction failed');
  }
}
