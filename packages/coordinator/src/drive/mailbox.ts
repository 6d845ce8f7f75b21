/**
 * The mailbox of one transaction: the only place that decides about it in this process. What it makes of what happens is in
 * `transition.ts`; here it is done.
 */
import {
  AmendsError,
  bytesGiven,
  type EpochMs,
  epochMs,
  type Gid,
  type Given,
  isAmendsError,
  isQuiet,
  type ReadyCall,
  type Spec,
  type StoredSpec,
  type Transaction,
  type TransactionEvent,
} from '@amends/core';
import type { Change, StoredTransaction } from '@amends/store';
import type { Places } from '../calls/places.ts';
import type { Wakeable } from '../ports/wake-queue.ts';
import type { CommitResult } from './group-commit.ts';
import { openNew, openStored } from './known.ts';
import type { OutgoingCall } from './outbound.ts';
import type { Input, Moment, Next, Phase, Ready, Reply, Why } from './phases.ts';
import { pauseEndOf } from './placement.ts';
import { Seating } from './seating.ts';
import { type Around, transition } from './transition.ts';

/** What a mailbox rests on, and whom it tells. */
export interface MailboxPorts extends Around {
  readonly places: Places;
  moment(): Moment;
  commit(change: Change, done: (result: CommitResult) => void): void;
  /** Rejects with `store_refused` when what is stored cannot be read. */
  load(gid: Gid): Promise<StoredTransaction | null>;
  /** Makes a call at its place, which is given back when the call ends; the mailbox gets its answer as an event. */
  call(call: OutgoingCall): void;
  wakeAt(mailbox: Mailbox, at: EpochMs | null): void;
  /** Runs something after a pause. */
  after(delayMs: number, run: () => void): void;
  /** The store cannot be used now; `retry` is called when it can again. */
  storeFailed(error: unknown, retry: () => void): void;
  readonly reports: MailboxReports;
}

/** What a mailbox tells those who look after all of them. */
export interface MailboxReports {
  committed(committed: NonNullable<Ready['committed']>): void;
  /** It waits for something. */
  rests(mailbox: Mailbox): void;
  /** There is no room for one more that waits for its host: it should go back to the store. */
  crowded(mailbox: Mailbox): void;
  closed(mailbox: Mailbox): void;
  /** The store does not take what was decided; the mailbox has closed. */
  refused(mailbox: Mailbox, message: string): void;
  /** It could not go on, and has closed: what is stored cannot be understood, or something has thrown. */
  failed(mailbox: Mailbox, error: unknown): void;
  /** Somebody who was told of something has thrown; the mailbox goes on. */
  threw(mailbox: Mailbox, error: unknown): void;
}

/** Decides about one transaction, commits what it decides, and has it done. */
export class Mailbox implements Wakeable {
  wakeSlot = -1;
  wakeAt: EpochMs | null = null;
  readonly #ports: MailboxPorts;
  readonly #seating: Seating;
  readonly #specBytes: number;
  #phase: Phase;
  /** What happens while a transition is carried out. */
  readonly #inputs: Input[] = [];
  #isAtWork = false;
  #listeners: Set<() => void> | null = null;
  #weighed: { readonly given: Given; readonly bytes: number } | null = null;

  /** A mailbox for a transaction that does not exist yet: its first event begins it. */
  static forNew(ports: MailboxPorts, gid: Gid, spec: Spec, stored: StoredSpec): Mailbox {
    return new Mailbox(ports, openNew(gid, spec, stored), stored);
  }

  /** A mailbox for a transaction as it was read: its first decision takes it over from whoever drove it. */
  static forStored(ports: MailboxPorts, stored: StoredTransaction): Mailbox {
    return new Mailbox(ports, openStored(stored, ports.moment()), stored.spec);
  }

  private constructor(ports: MailboxPorts, phase: Phase, { plan, presentation }: StoredSpec) {
    this.#ports = ports;
    this.#phase = phase;
    this.#specBytes = plan.length + presentation.length;
    this.#seating = new Seating(ports.places, () => this.#hearOffer());
  }

  get gid(): Gid {
    return this.#phase.known.gid;
  }

  get digest(): string {
    return this.#phase.known.digest;
  }

  /** As of the last commit; null before the first. */
  get tx(): Transaction | null {
    return this.#phase.known.durable;
  }

  /** With what was done since. */
  get now(): Transaction | null {
    return this.#phase.known.now;
  }

  /** Whether something was done that is not written yet. */
  get isAhead(): boolean {
    return this.#phase.known.unwrittenSince !== null;
  }

  /** As of the last commit. */
  get given(): Given {
    return this.#phase.known.given;
  }

  /** What it holds of what was requested and of records. */
  get bytes(): number {
    const { given } = this;
    if (this.#weighed?.given !== given) this.#weighed = { given, bytes: this.#specBytes + bytesGiven(given) };
    return this.#weighed.bytes;
  }

  /** Whether it will never decide again. */
  get closed(): boolean {
    return this.#phase.at === 'closed';
  }

  /** When it is due, once it is closed; null: calls are in flight, or it is finished. */
  get dueAt(): EpochMs | null {
    const { durable, columns } = this.#phase.known;
    return durable === null ? null : pauseEndOf({ dueAt: columns.dueAt, updatedAt: durable.updatedAt });
  }

  /** Whether nothing is under way: no commit, no undecided event, no call, and none that waits for its place. */
  get quiet(): boolean {
    return this.#isIdle && !this.waitsForPlace;
  }

  get #isIdle(): boolean {
    return this.#phase.at === 'resting' && this.now !== null && isQuiet(this.now);
  }

  /** Whether a call waits for its place. */
  get waitsForPlace(): boolean {
    return this.#seating.waits;
  }

  /** Until when it may leave the memory; null: it is at work. */
  get awayUntil(): EpochMs | null {
    if (!this.#isIdle) return null;
    return this.waitsForPlace ? this.#turnAt() : this.wakeAt;
  }

  /** Takes an event in; it is decided now, or together with others after what is under way. */
  post(event: TransactionEvent, reply: Reply | null = null): void {
    this.#take({ type: 'posted', letter: { event, reply } });
  }

  /** Begins to drive a transaction that was taken over. */
  start(): void {
    this.#take({ type: 'started' });
  }

  wake(): void {
    this.post({ type: 'woken', ...this.#ports.moment() });
  }

  /** Calls `listener` at each change of state and when it closes; @returns what ends that */
  onChange(listener: () => void): () => void {
    this.#listeners ??= new Set();
    const listeners = this.#listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * A claim of this node has taken the transaction on to what is `stored`; `beginAnew` is called when this mailbox cannot go
   * on there.
   */
  takeUp(stored: StoredTransaction, beginAnew: () => void): void {
    this.#take({ type: 'claimed', claimed: { stored, beginAnew }, moment: this.#ports.moment() });
  }

  /** The store has been read: what another node has committed meanwhile is taken in, or ends this mailbox. */
  catchUp(stored: StoredTransaction): void {
    this.#take({ type: 'caught-up', stored, moment: this.#ports.moment() });
  }

  /**
   * Gives a transaction that is not at work back to the store, where it is claimed when it is due, or before its turn at its
   * host comes.
   */
  handBack(): void {
    if (this.#phase.at !== 'resting') return;
    const turnAt = this.waitsForPlace ? this.#turnAt() : null;
    this.#seating.waitFor([]);
    this.#take({ type: 'leaving', turnAt });
  }

  /** Stops deciding; what is under way is left to whoever owns the transaction next. */
  abandon(): void {
    this.#take({ type: 'abandoned' });
  }

  #turnAt(): EpochMs {
    return epochMs(Math.ceil(this.#ports.moment().at + this.#seating.pauseMs));
  }

  /** One input after the other; one that comes while a transition is carried out waits for that. */
  #take(input: Input): void {
    this.#inputs.push(input);
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#turn(next);
    } finally {
      this.#isAtWork = false;
    }
  }

  /** What throws ends this mailbox and nobody else; what is stored is driven on by another one. */
  #turn(input: Input): void {
    try {
      this.#carryOut(this.#enter(input));
    } catch (error) {
      this.#carryOut(this.#enter({ type: 'abandoned' }));
      this.#ports.reports.failed(this, error);
    }
  }

  /** @returns what is to be done now */
  #enter(input: Input): Ready {
    try {
      const { phase, ready } = transition(this.#ports, this.#phase, input);
      this.#phase = phase;
      return ready;
    } catch (error) {
      if (input.type === 'posted') input.letter.reply?.(wrapError(error));
      throw error;
    }
  }

  /** In the order that `Ready` documents. Senders hear what is so even when something before that has thrown. */
  #carryOut({ kept, committed, calls, unseat, replies, next, beginAnew }: Ready): void {
    try {
      if (kept !== undefined) this.#seating.keep(kept);
      if (committed !== undefined) this.#ports.reports.committed(committed);
      if (calls !== undefined) this.#call(calls);
      if (unseat) this.#seating.giveBack();
    } finally {
      if (replies !== undefined) for (const { reply, result } of replies) this.#tell(() => reply(result));
    }
    if (next !== undefined) this.#goOn(next);
    beginAnew?.();
  }

  #call({ effects, known }: NonNullable<Ready['calls']>): void {
    for (const effect of effects) this.#ports.call({ effect, known, place: this.#seating.handOut(effect), mailbox: this });
  }

  #goOn(next: Next): void {
    const ports = this.#ports;
    switch (next.do) {
      case 'seat':
        return this.#hearFirst({ type: 'seated', seats: this.#seating.take(next.ready), moment: ports.moment() });
      case 'commit':
        return ports.commit(next.change, (result) => this.#take({ type: 'committed', result, moment: ports.moment() }));
      case 'read':
        return this.#read();
      case 'pause':
        return ports.after(next.pauseMs, () => this.#resume());
      case 'await-store':
        return ports.storeFailed(next.error, () => this.#resume());
      case 'rest':
        return this.#rest(next.ready, next.wakeAt);
      case 'close':
        return this.#close(next.why);
    }
  }

  /** What the mailbox has asked for comes before whatever happened meanwhile. */
  #hearFirst(input: Input): void {
    this.#inputs.unshift(input);
  }

  /** However many places are offered, they are looked at once. */
  #hearOffer(): void {
    if (!this.#inputs.some(({ type }) => type === 'offered')) this.#take({ type: 'offered', moment: this.#ports.moment() });
  }

  #resume(): void {
    this.#take({ type: 'resumed', moment: this.#ports.moment() });
  }

  #read(): void {
    this.#ports.load(this.gid).then(
      (stored) => this.#take({ type: 'read', stored, moment: this.#ports.moment() }),
      (error: unknown) => this.#take({ type: 'unread', error, isDamaged: isAmendsError(error, 'store_refused') }),
    );
  }

  /** Waits where it must. A place that is free is offered at once. */
  #rest(ready: readonly ReadyCall[], wakeAt: EpochMs | null): void {
    const hasRoom = !isQuiet(this.now!) || this.#seating.hasRoom(ready);
    this.#seating.waitFor(ready);
    if (this.#seating.hasOffer) return this.#hearOffer();
    if (!hasRoom) return this.#ports.reports.crowded(this);
    this.#ports.wakeAt(this, wakeAt);
    this.#ports.reports.rests(this);
    this.#tellListeners();
  }

  #close(why: Why): void {
    const { reports } = this.#ports;
    this.#seating.close();
    this.#ports.wakeAt(this, null);
    reports.closed(this);
    this.#tellListeners();
    if (why.is === 'refused') reports.refused(this, why.message);
    if (why.is === 'damaged') reports.failed(this, why.error);
    if (why.is === 'store-failed') this.#ports.storeFailed(why.error, () => {});
  }

  #tellListeners(): void {
    if (this.#listeners !== null) for (const listener of [...this.#listeners]) this.#tell(listener);
  }

  /** Who listens is anybody: what one throws keeps nobody else from hearing. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#ports.reports.threw(this, error);
    }
  }
}

function wrapError(error: unknown): AmendsError {
  return isAmendsError(error) ? error : new AmendsError('internal', 'the request could not be decided', { cause: error });
}
