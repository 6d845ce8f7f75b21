/** Puts the coordinator together: store, mailboxes, group commit, calls, timers, membership. */
import {
  AmendsError,
  type CallEffect,
  checkSagaSpec,
  type EpochMs,
  encodeSpec,
  fromRow,
  type Gid,
  gidRandomBytes,
  isFinished,
  isQuiet,
  makeGid,
  mayBegin,
  type NodeId,
  type Spec,
  type StoredSpec,
  type Transaction,
  type TransactionEvent,
  type Verdict,
} from '@amends/core';
import type { AuditRow, Store, StoredTransaction } from '@amends/store';
import { boundedPerHost } from './bounded-per-host.ts';
import type {
  Coordinator,
  CoordinatorHealth,
  Intervention,
  Requested,
  SubmitRequest,
  Submitted,
  TransactionRequest,
  TransactionView,
} from './coordinator.ts';
import { createGroupCommit } from './group-commit.ts';
import {
  type AnchoredClock,
  anchoredClock,
  freshNodeId,
  processName,
  sha256,
  silentLog,
  systemRandom,
  systemTimers,
} from './host.ts';
import { httpTransport } from './http-transport.ts';
import { LiveMailboxes } from './live-mailboxes.ts';
import { Mailbox, type MailboxHost } from './mailbox.ts';
import { Membership, type MembershipOptions } from './membership.ts';
import { Outbound } from './outbound.ts';
import type { Clock, Digest, Log, Observer, Random, Timers, Transport } from './ports.ts';
import { StoreGate } from './store-gate.ts';
import { viewOf, viewOfStored, waitFor } from './waiting.ts';
import { WakeQueue } from './wake-queue.ts';

/** What a coordinator is made of. Only the store is required; everything else has a default for production. */
export interface CoordinatorOptions extends Partial<MembershipOptions> {
  /** Opened by the caller, who also closes it after `stop`. */
  readonly store: Store;
  /** Default: HTTP by undici, bounded per host. The coordinator closes it when it stops. */
  readonly transport?: Transport;
  /** Default: the store's time carried on by the monotonic clock. */
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly random?: Random;
  readonly digest?: Digest;
  /** Default: silent. */
  readonly log?: Log;
  readonly observer?: Observer;
  /** Transactions that are busy or due within a second, above which new ones are refused as `overloaded`. Default 20,000. */
  readonly liveMax?: number;
  /** Payload bytes of transactions in memory above which new ones are refused as `overloaded`. Default 256 MiB. */
  readonly payloadBytesMax?: number;
}

const defaults = {
  heartbeatEveryMs: 2_000,
  timeToLiveMs: 8_000,
  claimEveryMs: 1_000,
  recoveringMax: 64,
  liveMax: 20_000,
  payloadBytesMax: 268_435_456,
  stopGraceMs: 10_000,
};

/** A submit or an intervention that meets other nodes' commits this often in a row gives up as `overloaded`. */
const triesMax = 50;

/** A transaction that the store refused to take is looked at again after this. Milliseconds. */
const refusedPauseMs = 30_000;

/** Makes a coordinator on a store. It does nothing until `start`. */
export function createCoordinator(options: CoordinatorOptions): Coordinator {
  return new LocalCoordinator(options);
}

class LocalCoordinator implements Coordinator, MailboxHost {
  readonly node: NodeId;
  readonly #store: Store;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #digest: Digest;
  readonly #log: Log;
  readonly #observer: Observer;
  readonly #membership: Membership;
  readonly #gate: StoreGate;
  readonly #commits: ReturnType<typeof createGroupCommit>;
  readonly #mailboxes: LiveMailboxes;
  readonly #recovering = new Set<Mailbox>();
  readonly #ownClock: AnchoredClock | null;
  readonly #clock: Clock;
  readonly #wakes: WakeQueue;
  readonly #outbound: Outbound;
  #state: CoordinatorHealth['state'] = 'starting';
  #started: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  #whenIdle: (() => void) | null = null;

  constructor(options: CoordinatorOptions) {
    const node = options.node ?? freshNodeId();
    this.node = node;
    this.#store = options.store;
    this.#timers = options.timers ?? systemTimers;
    this.#random = options.random ?? systemRandom();
    this.#digest = options.digest ?? sha256;
    this.#log = options.log ?? silentLog;
    this.#observer = options.observer ?? (() => {});
    this.#ownClock = options.clock === undefined ? anchoredClock() : null;
    this.#clock = options.clock ?? this.#ownClock!;
    const { liveMax = defaults.liveMax, payloadBytesMax = defaults.payloadBytesMax } = options;
    this.#mailboxes = new LiveMailboxes({ liveMax, payloadBytesMax }, this.#clock);
    const transport = options.transport ?? boundedPerHost(httpTransport(), { clock: this.#clock, timers: this.#timers });
    this.#wakes = new WakeQueue(this.#clock, this.#timers);
    this.#outbound = new Outbound(transport, this.#clock, this.#random);
    this.#gate = new StoreGate(this.#store, this.#timers, this.#log);
    this.#commits = createGroupCommit(this.#store, this.#timers);
    this.#membership = new Membership(
      {
        node,
        nodeName: options.nodeName ?? processName(),
        heartbeatEveryMs: options.heartbeatEveryMs ?? defaults.heartbeatEveryMs,
        timeToLiveMs: options.timeToLiveMs ?? defaults.timeToLiveMs,
        claimEveryMs: options.claimEveryMs ?? defaults.claimEveryMs,
        recoveringMax: options.recoveringMax ?? defaults.recoveringMax,
      },
      {
        store: this.#store,
        timers: this.#timers,
        clock: this.#clock,
        log: this.#log,
        adopt: (stored) => this.#adopt(stored),
        recovering: () => this.#recovering.size,
        room: () => this.#mailboxes.room(),
        horizonMs: () => this.#mailboxes.horizonMs,
      },
    );
  }

  start(): Promise<void> {
    this.#started ??= this.#joinIn();
    return this.#started;
  }

  async #joinIn(): Promise<void> {
    const now = await this.#membership.join();
    this.#ownClock?.anchor(now);
    if (this.#stopping !== null) return;
    this.#state = 'running';
    this.#membership.startClaiming();
  }

  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#end(options.graceMs ?? defaults.stopGraceMs);
    return this.#stopping;
  }

  async #end(graceMs: number): Promise<void> {
    this.#state = 'stopping';
    this.#membership.stopClaiming();
    await this.#started?.catch(() => {});
    this.#wakes.stop();
    await this.#idleWithin(graceMs);
    for (const mailbox of this.#mailboxes.all()) mailbox.abandon();
    this.#gate.stop();
    await this.#outbound.close();
    if (this.#started !== null) await this.#membership.leave();
    this.#state = 'stopped';
  }

  /** Waits until nothing is in flight, but not longer than the grace. */
  #idleWithin(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(graceMs, resolve);
      this.#whenIdle = () => {
        if (this.#outbound.calling > 0 || this.#commits.pending() > 0) return;
        cancel();
        resolve();
      };
      this.#whenIdle();
    });
  }

  newGid(): Gid {
    return makeGid(this.#clock.now(), () => this.#random.bytes(gidRandomBytes));
  }

  now(): EpochMs {
    return this.#clock.now();
  }

  submit({ gid, spec, onlySame = false }: SubmitRequest): Promise<Submitted> {
    return this.#beginAs({ gid, spec, type: 'submitted', onlySame });
  }

  prepare({ gid, spec }: { readonly gid: Gid; readonly spec: Spec }): Promise<Submitted> {
    if (!mayBegin(spec, 'prepared')) throw new AmendsError('invalid_request', `mode: a ${spec.mode} is submitted, not prepared`);
    return this.#beginAs({ gid, spec, type: 'prepared', onlySame: true });
  }

  async #beginAs(beginning: Beginning): Promise<Submitted> {
    const { gid, spec, type } = beginning;
    if (spec.mode === 'saga') checkSagaSpec(spec);
    const encoded = encodeSpec(spec);
    const stored: StoredSpec = { ...encoded, digest: this.#digest([encoded.plan, encoded.payloads]) };
    for (let tries = 0; tries < triesMax; tries++) {
      this.#refuseUnlessRunning();
      const begun =
        this.#mailboxes.get(gid) || !mayBegin(spec, type)
          ? await this.#beginAgain(beginning, stored.digest)
          : await this.#beginNew(beginning, stored);
      if (begun !== null) return begun;
      if (!mayBegin(spec, type)) throw new AmendsError('not_found', `gid: there is no prepared transaction ${gid}`);
    }
    throw tooContended(gid);
  }

  async #beginNew(beginning: Beginning, stored: StoredSpec): Promise<Submitted | null> {
    const { gid, spec, type } = beginning;
    if (this.#mailboxes.room() === 0)
      throw new AmendsError('overloaded', `${this.#mailboxes.size} transactions are under way; try again in a moment`);
    const mailbox = Mailbox.forNew(this, gid, spec, stored);
    this.#mailboxes.add(mailbox);
    const event = { type, gid, owner: this.node, traceId: null, ...this.moment() } as const;
    const reply = await new Promise<Verdict | 'lost' | AmendsError>((resolve) => mailbox.post(event, resolve));
    if (reply instanceof AmendsError) throw reply;
    if (reply !== 'lost') return { outcome: 'created', view: viewOf(mailbox) };
    if (this.#state !== 'running') throw isStopping();
    return this.#beginAgain(beginning, stored.digest);
  }

  /** What to answer for a gid that exists already; null when after all it does not. */
  async #beginAgain({ gid, spec, type, onlySame }: Beginning, digest: string): Promise<Submitted | null> {
    const known = await this.#known(gid);
    if (known === null) return null;
    const { transaction, given } = known.view;
    const isSame = known.digest === digest;
    const isMeant = isSame || (!onlySame && given.spec.mode === spec.mode);
    const goesOn = type === 'submitted' && transaction.status === 'prepared' && isMeant;
    if (!goesOn) return { outcome: isSame ? 'repeated' : 'different', view: known.view };
    const { verdict, view } = await this.request(gid, { type: 'submitted' });
    return { outcome: verdict === 'taken' ? 'created' : 'repeated', view };
  }

  /** A transaction as of its last commit, the one under way included. */
  async #known(gid: Gid): Promise<{ readonly view: TransactionView; readonly digest: string } | null> {
    const mailbox = this.#mailboxes.get(gid);
    if (mailbox !== undefined && mailbox.tx === null) await new Promise<void>((resolve) => mailbox.changed(resolve));
    const live = this.#mailboxes.get(gid);
    if (live?.tx) return { view: viewOf(live), digest: live.digest };
    const stored = await this.load(gid);
    return stored === null ? null : { view: viewOfStored(stored), digest: stored.spec.digest };
  }

  async request(gid: Gid, request: TransactionRequest): Promise<Requested> {
    for (let tries = 0; tries < triesMax; tries++) {
      this.#refuseUnlessRunning();
      const mailbox = this.#mailboxes.get(gid) ?? (await this.#openFor(gid));
      const verdict = await this.#verdictOn(mailbox, requestEvent(gid, this.node, request));
      if (verdict !== 'lost') return { verdict, view: viewOf(mailbox) };
    }
    throw tooContended(gid);
  }

  /** A finished transaction is not taken over by those who ask something of it: the mailbox answers and is forgotten. */
  async #openFor(gid: Gid): Promise<Mailbox> {
    const stored = await this.load(gid);
    if (stored === null) throw new AmendsError('not_found', `gid: there is no transaction ${gid}`);
    this.#refuseUnlessRunning();
    return this.#mailboxes.get(gid) ?? this.#takeIn(stored);
  }

  async #verdictOn(mailbox: Mailbox, event: UndatedEvent): Promise<Verdict | 'lost'> {
    const dated = { ...event, ...this.moment() } as TransactionEvent;
    const reply = await new Promise<Verdict | 'lost' | AmendsError>((resolve) => mailbox.post(dated, resolve));
    if (reply instanceof AmendsError) throw reply;
    return reply;
  }

  async intervene(request: Intervention): Promise<TransactionView> {
    const { gid, ...act } = request;
    for (let tries = 0; tries < triesMax; tries++) {
      this.#refuseUnlessRunning();
      const mailbox = this.#mailboxes.get(gid) ?? (await this.#open(request));
      if (mailbox.tx !== null) refuseIntervention(mailbox.tx, request);
      const event = { type: 'intervened', ...act, ...this.moment() } as const;
      const reply = await new Promise<Verdict | 'lost' | AmendsError>((resolve) => mailbox.post(event, resolve));
      if (reply instanceof AmendsError) throw reply;
      if (reply === 'taken') return viewOf(mailbox);
      if (reply !== 'lost') refuseIntervention(mailbox.tx!, request);
      else if (await this.#isAudited(gid, event)) return (await this.get(gid))!;
    }
    throw tooContended(gid);
  }

  /** Whether an act was carried out after all, by a commit whose answer came after others had taken the transaction over. */
  async #isAudited(gid: Gid, act: Omit<AuditRow, 'gid' | 'detail'>): Promise<boolean> {
    const rows = await this.#store.audit({ gid, limit: 100 });
    return rows.some((row) => row.at === act.at && row.actor === act.actor && row.verb === act.verb && row.reason === act.reason);
  }

  /**
   * A mailbox on a transaction that this node does not drive: its next commit takes it over. One is made only for an act
   * that will be posted to it, because a mailbox that gets no event never closes.
   */
  async #open(request: Intervention): Promise<Mailbox> {
    const { gid } = request;
    const stored = await this.load(gid);
    if (stored === null) throw new AmendsError('not_found', `gid: there is no transaction ${gid}`);
    refuseIntervention(fromRow(stored.row), request);
    this.#refuseUnlessRunning();
    return this.#mailboxes.get(gid) ?? this.#takeIn(stored);
  }

  #takeIn(stored: StoredTransaction): Mailbox {
    const mailbox = Mailbox.forStored(this, stored);
    if (!isFinished(mailbox.tx!)) this.#mailboxes.add(mailbox);
    return mailbox;
  }

  wait(gid: Gid, options: { readonly waitMs: number; readonly signal?: AbortSignal }): Promise<TransactionView | null> {
    return waitFor(options, {
      clock: this.#clock,
      timers: this.#timers,
      mailbox: () => this.#mailboxes.get(gid),
      load: () => this.load(gid),
      stopped: () => this.#state === 'stopped',
    });
  }

  async get(gid: Gid): Promise<TransactionView | null> {
    const mailbox = this.#mailboxes.get(gid);
    if (mailbox?.tx) return viewOf(mailbox);
    const stored = await this.load(gid);
    return stored === null ? null : viewOfStored(stored);
  }

  history: Coordinator['history'] = (gid, page) => this.#store.history(gid, page);

  list: Coordinator['list'] = (query) => this.#store.list(query);

  async health(): Promise<CoordinatorHealth> {
    const [store, nodes] = await Promise.all([this.#store.ping(), this.#store.nodes()]).catch(() => [null, []] as const);
    const paused = this.#state === 'running' && this.#gate.reason !== '';
    return {
      state: paused ? 'paused' : this.#state,
      reason: this.#gate.reason,
      store,
      nodes,
      live: this.#mailboxes.size,
      calling: this.#outbound.calling,
      uncommitted: this.#commits.pending(),
    };
  }

  #refuseUnlessRunning(): void {
    if (this.#state === 'starting')
      throw new AmendsError('store_unavailable', 'the coordinator is starting; try again in a moment');
    if (this.#state !== 'running') throw isStopping();
    if (this.#gate.reason !== '')
      throw new AmendsError('store_unavailable', `the store cannot be used now: ${this.#gate.reason}`);
  }

  /**
   * Drives a claimed transaction on; a mailbox that is at work on an older version of it ends first. Stopping: leaves it.
   * What cannot be read or decided stays with this node untouched, so that nobody claims it again and again.
   */
  #adopt(stored: StoredTransaction): void {
    if (this.#state !== 'running') return;
    const { gid, version } = stored.row;
    const older = this.#mailboxes.get(gid);
    if (older !== undefined) return older.giveWay(version, () => this.#adopt(stored));
    try {
      this.#begin(this.#takeIn(stored));
    } catch (error) {
      this.#log.error({ gid, err: error }, 'transaction cannot be driven: left alone');
    }
  }

  #begin(mailbox: Mailbox): void {
    this.#recovering.add(mailbox);
    try {
      mailbox.start();
    } catch (error) {
      mailbox.abandon();
      throw error;
    }
  }

  // ── MailboxHost ──────────────────────────────────────────────────────────────────────────────────────────────────

  get horizonMs(): number {
    return this.#mailboxes.horizonMs;
  }

  commit: MailboxHost['commit'] = (change, done) =>
    this.#commits.commit(change, (result) => {
      done(result);
      this.#whenIdle?.();
    });

  async load(gid: Gid): Promise<StoredTransaction | null> {
    const [stored] = await this.#store.load([gid]);
    return stored ?? null;
  }

  call(mailbox: Mailbox, effect: CallEffect): void {
    this.#outbound.call(mailbox, effect);
  }

  committed: MailboxHost['committed'] = (mailbox, previous, history) => {
    this.#observer({ previous, next: mailbox.tx!, history });
  };

  wakeAt(mailbox: Mailbox, at: EpochMs | null): void {
    this.#mailboxes.stays(mailbox);
    this.#wakes.set(mailbox, at);
    if (mailbox.tx !== null && isQuiet(mailbox.tx)) this.#notRecovering(mailbox);
  }

  close(mailbox: Mailbox): void {
    this.#mailboxes.remove(mailbox);
    this.#notRecovering(mailbox);
  }

  #notRecovering(mailbox: Mailbox): void {
    if (this.#recovering.delete(mailbox)) this.#membership.roomAgain();
  }

  storeFailed(error: unknown, retry: () => void): void {
    this.#gate.failed(error, retry);
  }

  moment(): { readonly at: EpochMs; readonly jitter: number } {
    return { at: this.#clock.now(), jitter: this.#random.fraction() };
  }

  refused(mailbox: Mailbox, message: string): void {
    this.#log.error({ gid: mailbox.gid, reason: message }, 'store refused a change');
    if (mailbox.tx !== null && !isFinished(mailbox.tx)) this.#lookAgainLater(mailbox.gid);
  }

  /** What this node owns and no mailbox drives must be taken up again by itself: other nodes leave it alone. */
  #lookAgainLater(gid: Gid): void {
    this.#timers.after(refusedPauseMs, () => {
      if (this.#state !== 'running') return;
      this.load(gid).then(
        (stored) => stored?.row.owner === this.node && this.#adopt(stored),
        () => this.#lookAgainLater(gid),
      );
    });
  }
}

/** What begins, and how. */
interface Beginning {
  readonly gid: Gid;
  readonly spec: Spec;
  readonly type: 'prepared' | 'submitted';
  readonly onlySame: boolean;
}

/** An event that has not got its moment yet. */
type UndatedEvent = TransactionEvent extends infer E ? (E extends unknown ? Omit<E, 'at' | 'jitter'> : never) : never;

function requestEvent(gid: Gid, owner: NodeId, request: TransactionRequest): UndatedEvent {
  return request.type === 'submitted' ? { ...request, gid, owner, traceId: null } : request;
}

/** @throws AmendsError `already_finished` or `version_conflict` when the act does not apply to the transaction as it is */
function refuseIntervention(tx: Transaction, request: Intervention): void {
  if (isFinished(tx))
    throw new AmendsError('already_finished', `${tx.gid} is finished (${tx.status}); nothing can be changed any more`);
  if (request.expectedVersion !== null && request.expectedVersion !== tx.version)
    throw new AmendsError('version_conflict', `expectedVersion: ${tx.gid} is at version ${tx.version} now; look at it again`);
}

function isStopping(): AmendsError {
  return new AmendsError('stopping', 'the coordinator is stopping; try again, or at another node');
}

function tooContended(gid: Gid): AmendsError {
  return new AmendsError('overloaded', `gid: ${gid} is being changed by other nodes all the time; try again in a moment`);
}
