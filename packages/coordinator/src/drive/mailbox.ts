/**
 * The mailbox of one transaction: the only place that decides about it in this process.
 *
 * DRIVE-1: At most one commit of a transaction is outstanding; events that arrive meanwhile are folded into the next decision.
 * DRIVE-2: Nothing is called, answered or reported before the decision that says so is durable.
 * DRIVE-3: A conflict is never overridden: read again; still ours, decide again; not ours any more, drop it.
 * DRIVE-4: A commit of unknown outcome is resolved by reading back, never guessed.
 * DRIVE-5: When the store refuses to write, events stay in the mailbox and are decided when it writes again.
 * DRIVE-6: A call is started when it has its place at its host, which it keeps until it ends. A place that no call came to use,
 *   because of what was decided or became of the commit, is given back.
 */
import {
  AmendsError,
  bytesGiven,
  type CallEffect,
  type Decided,
  decide,
  decodeSpec,
  type EpochMs,
  earlier,
  encodeFact,
  epochMs,
  fromRow,
  type Gid,
  type Given,
  givenAtFirst,
  givenOf,
  type HistoryEntry,
  isAmendsError,
  isQuiet,
  type NodeId,
  type ReadyCall,
  type Spec,
  type StoredSpec,
  type Transaction,
  type TransactionEvent,
  type TransactionRow,
  type Verdict,
  withFacts,
} from '@amends/core';
import type { AuditRow, Change, StoredTransaction, WriteOnceRecord } from '@amends/store';
import type { Place, Places } from '../calls/places.ts';
import type { Wakeable } from '../ports/wake-queue.ts';
import type { CommitResult } from './group-commit.ts';
import { type CarriedColumns, noColumns, pauseEndOf, placed, rowOf } from './placement.ts';
import { isSameOp, Seating } from './seating.ts';

/** What became of an event with a sender: its verdict, or that this mailbox cannot tell because it lost the transaction. */
export type Reply = (result: Verdict | 'lost' | AmendsError) => void;

/** What a mailbox needs of the coordinator around it. */
export interface MailboxHost {
  readonly node: NodeId;
  /** What is due later than this is not driven here. Milliseconds. */
  readonly horizonMs: number;
  readonly places: Places;
  commit(change: Change, done: (result: CommitResult) => void): void;
  /** Rejects with `store_refused` when what is stored cannot be read. */
  load(gid: Gid): Promise<StoredTransaction | null>;
  /** Makes a call at its place, which is given back when the call ends; the mailbox gets its answer as an event. */
  call(mailbox: Mailbox, effect: CallEffect, place: Place): void;
  committed(mailbox: Mailbox, previous: Transaction | null, history: readonly HistoryEntry[]): void;
  /** The same for a transaction that cannot be read, which has no mailbox. */
  committedUnread(before: TransactionRow, change: Change): void;
  wakeAt(mailbox: Mailbox, at: EpochMs | null): void;
  /** There is no room for one more that waits for its host: it goes back to the store. */
  handBack(mailbox: Mailbox): void;
  /** The mailbox has nothing to drive any more, or lost its transaction. */
  close(mailbox: Mailbox): void;
  /** The store cannot be written or read now; `retry` is called when it can again. */
  storeFailed(error: unknown, retry: () => void): void;
  /** Runs something after a pause. */
  after(delayMs: number, run: () => void): void;
  /** An event like those that time brings: now, with a fresh chance. */
  moment(): { readonly at: EpochMs; readonly jitter: number };
  refused(mailbox: Mailbox, message: string): void;
  /** What the store holds of the transaction cannot be read; this mailbox is of no use any more. */
  unreadable(mailbox: Mailbox, error: AmendsError): void;
}

interface Letter {
  readonly event: TransactionEvent;
  readonly reply: Reply | null;
}

/** A change that was not answered by `applied`. */
interface Tried {
  readonly step: Step;
  /** How many tries there have been. */
  readonly tries: number;
  /** Whether a try of it may have been applied although its answer does not say so. */
  readonly mayBeApplied: boolean;
}

/** A store that contradicts itself this often about one change is taken for one that cannot be used. */
const readBacksMax = 6;

/** Before a change is tried again; doubled with each try. Milliseconds. */
const readBackPauseMs = 10;

/** Decides about one transaction, commits what it decides, and only then has it done. */
export class Mailbox implements Wakeable {
  readonly gid: Gid;
  readonly digest: string;
  /** What it holds of what was requested and of recorded facts. */
  bytes: number;
  /** What of that is counted among the bytes of all; whoever counts keeps it. */
  countedBytes = 0;
  /** As of the last commit. */
  given: Given;
  wakeSlot = -1;
  wakeAt: EpochMs | null = null;
  /** As of the last commit; null before the first. */
  tx: Transaction | null = null;
  /** Attempts whose answers this process will hear, as `branch way attempt`. */
  readonly calls = new Set<string>();
  readonly #host: MailboxHost;
  readonly #waiters = new Set<() => void>();
  readonly #specBytes: number;
  #newSpec: StoredSpec | null;
  #columns: CarriedColumns = noColumns;
  #letters: Letter[] = [];
  /** Letters that the commit under way is about. */
  #lettersInCommit: readonly Letter[] = [];
  readonly #seating: Seating;
  /** It decides, commits or enters queues: what comes meanwhile waits until that is done. */
  #busy = false;
  #closed = false;
  /** What a claim of this node has made of the transaction while this mailbox was at work on it. */
  #claimed: { readonly stored: StoredTransaction; readonly beginAnew: () => void } | null = null;

  /** A mailbox for a transaction that does not exist yet: its first event is `submitted`. */
  static forNew(host: MailboxHost, gid: Gid, spec: Spec, stored: StoredSpec): Mailbox {
    return new Mailbox(host, gid, { given: givenAtFirst(spec), stored, isNew: true });
  }

  /** A mailbox for a transaction as it was read: its first decision takes it over from whoever drove it. */
  static forStored(host: MailboxHost, stored: StoredTransaction): Mailbox {
    const given = givenOf(decodeSpec(stored.spec), stored.records);
    const mailbox = new Mailbox(host, stored.row.gid, { given, stored: stored.spec, isNew: false });
    mailbox.#adopt(stored);
    mailbox.#letters.push(mailbox.#recovered());
    return mailbox;
  }

  private constructor(host: MailboxHost, gid: Gid, plan: { given: Given; stored: StoredSpec; isNew: boolean }) {
    this.#host = host;
    this.#seating = new Seating(host.places, this);
    this.gid = gid;
    this.given = plan.given;
    this.digest = plan.stored.digest;
    this.#specBytes = plan.stored.plan.length + plan.stored.presentation.length;
    this.bytes = this.#size();
    this.#newSpec = plan.isNew ? plan.stored : null;
  }

  #size(): number {
    return this.#specBytes + bytesGiven(this.given);
  }

  /** Whether it will never decide again. */
  get closed(): boolean {
    return this.#closed;
  }

  /** When it is due, once it is closed; null: calls are in flight, or it is finished. */
  get dueAt(): EpochMs | null {
    return this.tx === null ? null : pauseEndOf({ dueAt: this.#columns.dueAt, updatedAt: this.tx.updatedAt });
  }

  /** Whether nothing is under way: no commit, no undecided event, no call, and none that waits for its place. */
  get quiet(): boolean {
    return this.#isIdle && !this.waitsForPlace;
  }

  get #isIdle(): boolean {
    return !this.#busy && this.#letters.length === 0 && this.tx !== null && isQuiet(this.tx);
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

  /** Takes an event in; it is decided now, or together with others after the commit under way. */
  post(event: TransactionEvent, reply: Reply | null = null): void {
    if (this.#closed) {
      reply?.('lost');
      return;
    }
    this.#letters.push({ event, reply });
    if (!this.#busy) this.#decide();
  }

  /** Begins to drive a transaction that was taken over. */
  start(): void {
    this.#decide();
  }

  wake(): void {
    this.post({ type: 'woken', ...this.#host.moment() });
  }

  /** A place has been offered for a call that waited. */
  offered(): void {
    if (!this.#busy) this.#decideLate();
  }

  /** Resolves at the next change of state, or when it closes. */
  changed(listener: () => void): () => void {
    this.#waiters.add(listener);
    return () => this.#waiters.delete(listener);
  }

  /**
   * A claim of this node has taken the transaction on to what is `stored`. If this mailbox has not come so far by the time that
   * its commit is answered, it goes on from there. If it has closed by then, `beginAnew` is called.
   */
  takeUp(stored: StoredTransaction, beginAnew: () => void): void {
    this.#claimed = { stored, beginAnew };
    if (!this.#busy && this.#isOvertaken()) this.#goOnFrom(stored);
  }

  /** The store has been read: what another node has committed meanwhile is taken in, or ends this mailbox. */
  catchUp(stored: StoredTransaction): void {
    if (this.#closed || this.#busy || this.tx === null || stored.row.version <= this.tx.version) return;
    if (stored.row.owner === this.#host.node) this.#goOnFrom(stored);
    else this.#close();
  }

  #isOvertaken(): boolean {
    return this.#claimed !== null && (this.tx?.version ?? 0) < this.#claimed.stored.row.version;
  }

  /**
   * Gives a transaction that is not at work back to the store, where it is claimed when it is due: what waits for its place
   * before its turn will come. Events that come meanwhile win.
   */
  handBack(): void {
    const tx = this.tx!;
    const wakeAt = this.waitsForPlace ? earlier(this.wakeAt, this.#turnAt()) : this.wakeAt;
    this.#seating.waitFor([]);
    const asItIs = { next: tx, history: [], facts: [], effects: [], ready: [], verdicts: [] };
    this.#propose([], { ...asItIs, mustCommit: true, wakeAt }, 0);
  }

  #turnAt(): EpochMs {
    return epochMs(Math.ceil(this.#host.moment().at + this.#seating.pauseMs));
  }

  /** Stops deciding; what is under way is left to whoever owns the transaction next. */
  abandon(): void {
    this.#close();
  }

  #adopt({ row, records }: StoredTransaction): void {
    this.tx = fromRow(row);
    this.given = givenOf(this.given.spec, records);
    this.bytes = this.#size();
    this.#columns = row;
    this.#newSpec = null;
  }

  #recovered(): Letter {
    return { event: { type: 'recovered', ...this.#host.moment() }, reply: null };
  }

  /** Decides about events that had to wait: what follows from them starts now, not when they happened. */
  #decideLate(): void {
    this.#letters.push({ event: { type: 'woken', ...this.#host.moment() }, reply: null });
    this.#decide();
  }

  #decide(): void {
    this.#busy = true;
    const letters = this.#letters;
    this.#letters = [];
    const decided = this.#decideWithPlaces(letters.map((letter) => letter.event));
    if (decided.next === this.tx) {
      this.#unchanged(letters, decided);
      return;
    }
    this.#propose(letters, decided);
  }

  /** What is ready and has its place is started in the same decision; so a call at a host with room costs no commit more. */
  #decideWithPlaces(events: readonly TransactionEvent[]): Decided {
    const decided = decide(this.tx, this.given, events);
    const seats = this.#seating.take(decided.ready);
    if (seats.length === 0) return decided;
    const moment = this.#host.moment();
    const placements = seats.map(({ branch, way }) => ({ type: 'placed', branch, way, ...moment }) as const);
    const started = decide(this.tx, this.given, [...events, ...placements]);
    this.#seating.keep(seats, started);
    return started;
  }

  #propose(letters: readonly Letter[], decided: Decided, withinMs = this.#host.horizonMs): void {
    const next = placed(decided, this.#host.node, withinMs);
    const row = rowOf(next, decided, { given: this.given, before: this.#columns });
    const change: Change = {
      expectedVersion: this.tx?.version ?? 0,
      row,
      spec: this.#newSpec,
      history: decided.history,
      records: decided.facts.map(encodeFact),
      documents: [],
      audit: auditOf(this.gid, letters, decided.verdicts),
    };
    this.#busy = true;
    this.#lettersInCommit = letters;
    this.#commit({ decided, next, change });
  }

  /** An earlier try of a change that may still be applied is made again until its fate is known (DRIVE-4). */
  #commit(step: Step, tries = 0, mayBeApplied = false): void {
    this.#host.commit(step.change, (result) => {
      if (this.#closed) return;
      switch (result.outcome) {
        case 'applied':
          return this.#applied(step);
        case 'conflict':
          return this.#readAgain({ step, tries, mayBeApplied });
        case 'unknown':
          return this.#readAgain({ step, tries, mayBeApplied: true });
        case 'refused':
          return this.#refused(result.message);
        case 'failed':
          if (!mayBeApplied) return this.#failed(result.error);
          return this.#host.storeFailed(result.error, () => this.#closed || this.#commit(step, 0, true));
      }
    });
  }

  /**
   * What was read does not explain why the change was not applied: it is tried again after a pause, but not for ever in a row.
   */
  #commitAgain({ step, tries, mayBeApplied }: Tried): void {
    const again = (next: number) => this.#closed || this.#commit(step, next, mayBeApplied);
    if (tries < readBacksMax) this.#host.after(readBackPauseMs * 2 ** tries, () => again(tries + 1));
    else
      this.#host.storeFailed(new Error('the store says again and again that a change which fits was not applied'), () =>
        again(0),
      );
  }

  #applied({ decided, next, change }: Step): void {
    const previous = this.tx;
    this.tx = next;
    this.given = withFacts(this.given, decided.facts);
    if (decided.facts.length > 0) this.bytes = this.#size();
    this.#columns = change.row;
    this.#newSpec = null;
    this.#busy = false;
    const seats = this.#seating.handOut();
    for (const effect of decided.effects) this.calls.add(callKey(effect));
    this.#host.committed(this, previous, decided.history);
    for (const effect of decided.effects) this.#host.call(this, effect, seats.find((seat) => isSameOp(seat, effect))!.place);
    this.#answer(this.#takeFromCommit(), decided.verdicts);
    this.#goOn(decided);
  }

  #unchanged(letters: readonly Letter[], decided: Decided): void {
    this.#busy = false;
    this.#answer(letters, decided.verdicts);
    this.#goOn(decided);
  }

  #goOn(decided: Decided): void {
    if (this.#closed || this.#busy) return;
    if (this.#isOvertaken()) return this.#goOnFrom(this.#claimed!.stored);
    if (this.#letters.length > 0 || this.#seating.hasOffer) return this.#decideLate();
    if (this.tx === null || this.tx.owner !== this.#host.node) return this.#close();
    const hasRoom = this.#waitForPlaces(decided.ready);
    if (this.#seating.hasOffer) return this.#decideLate();
    if (!hasRoom) return this.#host.handBack(this);
    this.#host.wakeAt(this, decided.wakeAt);
    this.#notify();
  }

  /** @returns whether there is room to wait where it must; a transaction with calls under way waits in any case */
  #waitForPlaces(ready: readonly ReadyCall[]): boolean {
    const hasRoom = !isQuiet(this.tx!) || this.#seating.hasRoom(ready);
    this.#busy = true;
    this.#seating.waitFor(ready);
    this.#busy = false;
    return hasRoom;
  }

  /** After a conflict or an unknown outcome: what the store holds decides what happened (DRIVE-3, DRIVE-4). */
  #readAgain(tried: Tried): void {
    this.#host.load(this.gid).then(
      (stored) => this.#resolve(tried, stored),
      (error: unknown) => {
        if (isAmendsError(error, 'store_refused')) this.#host.unreadable(this, error);
        else this.#host.storeFailed(error, () => this.#closed || this.#readAgain(tried));
      },
    );
  }

  /** What looks like ours and cannot have been applied is another node's that has decided the same about something else. */
  #resolve(tried: Tried, stored: StoredTransaction | null): void {
    if (this.#closed) return;
    const { step, mayBeApplied } = tried;
    const row = stored?.row ?? null;
    const isApplied = mayBeApplied && stored !== null && stored.spec.digest === this.digest && isOurs(stored, step.change);
    if (isApplied) return this.#applied(step);
    if ((row?.version ?? 0) === (this.tx?.version ?? 0)) return this.#commitAgain(tried);
    if (row === null || this.tx === null || row.owner !== this.#host.node) return this.#close();
    if (mayBeApplied) this.#loseCommit();
    this.#goOnFrom(stored!);
  }

  /**
   * What the commit was about may be in what the row has become since, and must not be done twice. Its senders ask again, and
   * find out; an answer that went under is made good by one more attempt.
   */
  #loseCommit(): void {
    for (const letter of this.#takeFromCommit()) letter.reply?.('lost');
  }

  /**
   * The row moved on, yet it is this node's: a claim of its own overtook us. What we were told still holds; calls that
   * other owners made in between will not be heard here.
   */
  #goOnFrom(stored: StoredTransaction): void {
    this.#seating.giveBack();
    this.#adopt(stored);
    this.#busy = false;
    this.#letters = [...this.#takeFromCommit(), ...this.#letters];
    if (!this.#hearsAll()) this.#letters.unshift(this.#recovered());
    this.#decideLate();
  }

  /** Whether the answers of all calls in flight come to this mailbox, or have come already. */
  #hearsAll(): boolean {
    const answers = this.#letters.flatMap(({ event }) => (event.type === 'answered' ? [callKey(event)] : []));
    const heard = new Set([...this.calls, ...answers]);
    return this.tx!.branches.every((states, branch) =>
      ways.every((way) => {
        const state = states[way];
        return state.at !== 'running' || heard.has(callKey({ branch, way, attempt: state.attempts }));
      }),
    );
  }

  #refused(message: string): void {
    this.#host.refused(this, message);
    const error = new AmendsError('value_refused', `the store does not take a value of this change: ${message}`);
    for (const letter of this.#takeFromCommit()) letter.reply?.(error);
    this.#close();
  }

  /** Nothing was written. A new transaction's sender is told; for one that exists the events wait (DRIVE-5). */
  #failed(error: unknown): void {
    this.#seating.giveBack();
    this.#letters = [...this.#takeFromCommit(), ...this.#letters];
    if (this.tx === null) {
      this.#host.storeFailed(error, () => {});
      for (const letter of this.#letters) letter.reply?.(isAmendsError(error) ? error : 'lost');
      this.#letters = [];
      this.#close();
      return;
    }
    this.#host.storeFailed(error, () => {
      this.#busy = false;
      if (!this.#closed) this.#decideLate();
    });
  }

  #takeFromCommit(): readonly Letter[] {
    const letters = this.#lettersInCommit;
    this.#lettersInCommit = [];
    return letters;
  }

  #answer(letters: readonly Letter[], verdicts: readonly Verdict[]): void {
    letters.forEach((letter, index) => {
      letter.reply?.(verdicts[index]!);
    });
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#seating.close();
    this.#host.wakeAt(this, null);
    this.#host.close(this);
    const letters = [...this.#takeFromCommit(), ...this.#letters];
    this.#letters = [];
    for (const letter of letters) letter.reply?.('lost');
    this.#notify();
    if (this.#isOvertaken()) this.#claimed!.beginAnew();
  }

  #notify(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

interface Step {
  readonly decided: Decided;
  readonly next: Transaction;
  readonly change: Change;
}

const ways = ['forward', 'backward'] as const;

/** Identity of one attempt within its transaction. */
export function callKey(call: Pick<CallEffect, 'branch' | 'way' | 'attempt'>): string {
  return `${call.branch} ${call.way} ${call.attempt}`;
}

/**
 * Whether what is stored is what we tried to write. With our node id nobody else writes at this version; without one, on a
 * transaction that is given back, another node may have decided the same at the same moment, but about a branch of its own.
 */
function isOurs({ row, records }: StoredTransaction, tried: Change): boolean {
  return (
    row.version === tried.row.version &&
    row.epoch === tried.row.epoch &&
    row.owner === tried.row.owner &&
    row.updatedAt === tried.row.updatedAt &&
    row.status === tried.row.status &&
    row.reason === tried.row.reason &&
    row.state === tried.row.state &&
    tried.records.every((ours) => records.some((stored) => isSameRecord(stored, ours)))
  );
}

function isSameRecord(one: WriteOnceRecord, other: WriteOnceRecord): boolean {
  return one.kind === other.kind && one.key === other.key && Buffer.compare(one.content, other.content) === 0;
}

/** One audit row per act of a human that was carried out, in the same commit as the act. */
function auditOf(gid: Gid, letters: readonly Letter[], verdicts: readonly Verdict[]): AuditRow[] {
  return letters.flatMap(({ event }, index) =>
    event.type === 'intervened' && verdicts[index] === 'taken'
      ? [{ at: event.at, gid, actor: event.actor, verb: event.verb, reason: event.reason, detail: '{}' }]
      : [],
  );
}
