/** Puts the coordinator together: store, mailboxes, group commit, calls, timers, membership. */
import {
  AmendsError,
  type CallEffect,
  type EpochMs,
  type Gid,
  gidRandomBytes,
  isQuiet,
  makeGid,
  type NodeId,
} from '@amends/core';
import type { Store, StoredTransaction } from '@amends/store';
import { AddressBook } from './calls/address/address-book.ts';
import { type CheckAddress, refuseForbidden } from './calls/address/network-address.ts';
import { failureTeller } from './calls/failing-hosts.ts';
import { grpcTransport } from './calls/grpc/grpc-transport.ts';
import { httpTransport } from './calls/http/http-transport.ts';
import { type Place, Places } from './calls/places.ts';
import { transportByScheme } from './calls/transport-by-scheme.ts';
import type { Coordinator, CoordinatorHealth, TransactionView, WaitSignal } from './coordinator.ts';
import { createGroupCommit } from './drive/group-commit.ts';
import { LiveMailboxes } from './drive/live-mailboxes.ts';
import type { Mailbox, MailboxHost } from './drive/mailbox.ts';
import { Outbound } from './drive/outbound.ts';
import { unreadableBecause } from './drive/readable.ts';
import { StoreGate } from './drive/store-gate.ts';
import { salvaged } from './drive/unreadable.ts';
import { Membership, type MembershipOptions } from './nodes/membership.ts';
import { Retention, type RetentionOptions } from './nodes/retention.ts';
import { type StoreReading, sharedReading } from './nodes/store-reading.ts';
import { Takeovers } from './nodes/takeovers.ts';
import {
  type AnchoredClock,
  anchoredClock,
  freshNodeId,
  processName,
  sha256,
  silentLog,
  systemRandom,
  systemTimers,
} from './ports/host.ts';
import type { CallObserver, Clock, Committed, Digest, Log, Observer, Random, Timers, Transport } from './ports/ports.ts';
import { timeLimit } from './ports/time-limit.ts';
import { WakeQueue } from './ports/wake-queue.ts';
import { asked } from './requests/asking.ts';
import { intervene } from './requests/intervening.ts';
import type { Reception } from './requests/requests.ts';
import { prepare, submit } from './requests/submitting.ts';
import { waitFor } from './requests/waiting.ts';
import { standing } from './requests/whereabouts.ts';

/** What a coordinator is made of. Only the store is required; everything else has a default for production. */
export interface CoordinatorOptions extends Partial<MembershipOptions>, Partial<RetentionOptions> {
  /** Opened by the caller, who also closes it after `stop`. */
  readonly store: Store;
  /** Default: HTTP by undici and gRPC. The coordinator closes it when it stops. */
  readonly transport?: Transport;
  /**
   * Asked about addresses that requests give as such (`http://10.0.0.1/`), so that what could never be called is not taken;
   * names are judged when they are called. Default: as the default transport.
   */
  readonly checkAddress?: CheckAddress;
  /** Default: the store's time carried on by the monotonic clock and corrected at each heartbeat. */
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly random?: Random;
  readonly digest?: Digest;
  /** Default: silent. */
  readonly log?: Log;
  readonly observer?: Observer;
  readonly callObserver?: CallObserver;
  /** Calls at once to one participant host; more wait for their place without having been started. Default 128. */
  readonly perHostInFlightMax?: number;
  /** Transactions that are busy or due within a second, above which new ones are refused as `overloaded`. Default 20,000. */
  readonly liveMax?: number;
  /**
   * Bytes of requests and recorded facts of transactions in memory, above which new ones are refused as `overloaded`. Default 256
   * MiB.
   */
  readonly requestBytesMax?: number;
}

/** A killed node's work is taken up within about 4 s; docs/architecture.md says why these times and not others. */
const defaults = {
  heartbeatEveryMs: 1_000,
  timeToLiveMs: 3_500,
  claimEveryMs: 500,
  recoveringMax: 64,
  perHostInFlightMax: 128,
  liveMax: 20_000,
  requestBytesMax: 268_435_456,
  stopGraceMs: 10_000,
  /** Seven days. */
  retainMs: 604_800_000,
};

/** Of the transactions in memory, this part may wait for one host; more wait in the store. */
const waitingShare = 0.5;

/** A claim leaves the rest of the room in memory to requests. */
const claimedShare = 0.5;

/** What is claimed gives way to requests for so long after the last one. Milliseconds. */
const askedForMs = 1_000;

/** Of the time to stop, at most this is kept for breaking off calls and for saying goodbye. Milliseconds. */
const partingMsMax = 1_000;

function everyTransport(): Transport {
  return transportByScheme({ http: httpTransport(), grpc: grpcTransport() });
}

/** Makes a coordinator on a store. It does nothing until `start`. */
export function createCoordinator(options: CoordinatorOptions): Coordinator {
  return faceOf(new LocalCoordinator(options));
}

/** What users get: without what the mailboxes need of the coordinator around them. */
function faceOf(inner: LocalCoordinator): Coordinator {
  const { submit, prepare, request, intervene, history, list, audit } = inner;
  return {
    start: () => inner.start(),
    stop: (options) => inner.stop(options),
    newGid: () => inner.newGid(),
    now: () => inner.now(),
    submit,
    prepare,
    request,
    wait: (gid, options) => inner.wait(gid, options),
    get: (gid) => inner.get(gid),
    history,
    list,
    audit,
    intervene,
    calling: () => inner.calling(),
    health: () => inner.health(),
  };
}

class LocalCoordinator implements Coordinator, MailboxHost {
  readonly node: NodeId;
  readonly places: Places;
  readonly #store: Store;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #digest: Digest;
  readonly #log: Log;
  readonly #observer: Observer;
  readonly #membership: Membership;
  readonly #retention: Retention;
  readonly #gate: StoreGate;
  readonly #commits: ReturnType<typeof createGroupCommit>;
  readonly #mailboxes: LiveMailboxes;
  readonly #takeovers: Takeovers;
  readonly #ownClock: AnchoredClock | null;
  readonly #clock: Clock;
  readonly #wakes: WakeQueue;
  readonly #outbound: Outbound;
  readonly #reception: Reception;
  readonly #readStore: () => Promise<StoreReading>;
  #askedAt = 0;
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
    const { liveMax = defaults.liveMax, requestBytesMax = defaults.requestBytesMax } = options;
    this.#mailboxes = new LiveMailboxes({ liveMax, requestBytesMax }, this.#clock);
    const addresses = new AddressBook(options.checkAddress ?? refuseForbidden);
    const perHostMax = options.perHostInFlightMax ?? defaults.perHostInFlightMax;
    this.places = new Places({ perHostMax, waitingMax: Math.max(1, liveMax * waitingShare) }, this.#clock, addresses);
    const tellFailures = failureTeller({ log: this.#log, clock: this.#clock });
    this.#wakes = new WakeQueue(this.#clock, this.#timers);
    this.#outbound = new Outbound({
      transport: options.transport ?? everyTransport(),
      addresses,
      observers: options.callObserver === undefined ? [tellFailures] : [tellFailures, options.callObserver],
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      onEnd: () => this.#whenIdle?.(),
    });
    this.#readStore = sharedReading(this.#store, this.#clock);
    this.#gate = new StoreGate(this.#store, this.#timers, this.#log);
    this.#reception = {
      host: this,
      mailboxes: this.#mailboxes,
      isShared: this.#store.capabilities.shared,
      refuseUnlessOpen: () => this.#refuseUnlessRunning(),
      judgeAddress: (url) => addresses.of(url).forbidden,
      onStoreFailure: (listener) => this.#gate.onFailure(listener),
    };
    this.#commits = createGroupCommit(this.#store, this.#timers);
    this.#takeovers = new Takeovers({
      host: this,
      mailboxes: this.#mailboxes,
      store: this.#store,
      digest: this.#digest,
      timers: this.#timers,
      log: this.#log,
      isRunning: () => this.#state === 'running',
      onRest: () => this.#membership.roomAgain(),
    });
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
        keepTime: (ask) => this.#keepTime(ask),
        adopt: (stored) => this.#takeovers.adopt(stored),
        recovering: () => this.#takeovers.underWay,
        room: () => Math.ceil(this.#mailboxes.room() * claimedShare),
        isAsked: () => this.#isAsked(),
        horizonMs: () => this.#mailboxes.claimHorizonMs,
        driven: () => [...this.#mailboxes.gids(), ...this.#takeovers.leftAlone()],
      },
    );
    const { retainSucceededMs = defaults.retainMs, retainFailedMs = defaults.retainMs } = options;
    this.#retention = new Retention(
      { retainSucceededMs, retainFailedMs },
      { store: this.#store, timers: this.#timers, clock: this.#clock, log: this.#log, isAsked: () => this.#isAsked() },
    );
  }

  #isAsked(): boolean {
    return this.#clock.now() < this.#askedAt + askedForMs;
  }

  /** Where the store's time has gone ahead of this clock, what is due by it is woken now. */
  async #keepTime(ask: () => Promise<EpochMs>): Promise<EpochMs> {
    const told = await (this.#ownClock?.anchor(ask) ?? ask());
    this.#wakes.look();
    return told;
  }

  start(): Promise<void> {
    this.#started ??= this.#joinIn();
    return this.#started;
  }

  async #joinIn(): Promise<void> {
    await this.#membership.join();
    if (this.#stopping !== null) return;
    this.#state = 'running';
    this.#membership.startClaiming();
    this.#retention.start();
  }

  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#end(options.graceMs ?? defaults.stopGraceMs);
    return this.#stopping;
  }

  async #end(graceMs: number): Promise<void> {
    this.#state = 'stopping';
    this.#membership.stopClaiming();
    this.places.close();
    const limit = timeLimit(graceMs, this.#timers);
    const limitOfWork = timeLimit(graceMs - Math.min(partingMsMax, graceMs / 5), this.#timers);
    if (this.#started !== null) await limitOfWork.within(this.#started);
    this.#wakes.stop();
    await limitOfWork.within(this.#idle());
    limitOfWork.cancel();
    for (const mailbox of this.#mailboxes.all()) mailbox.abandon();
    this.#takeovers.stop();
    this.#gate.stop();
    await limit.within(this.#retention.stop());
    await limit.within(this.#outbound.close());
    if (this.#started !== null) await this.#membership.leave(limit);
    limit.cancel();
    this.#state = 'stopped';
  }

  /** Resolves when nothing is in flight. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = () => {
        if (this.#outbound.calling === 0 && this.#commits.pending() === 0) resolve();
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

  /** For a request that changes something: there is one. */
  #receive(): Reception {
    this.#askedAt = this.#clock.now();
    return this.#reception;
  }

  submit: Coordinator['submit'] = (request) => submit(request, this.#digest, this.#receive());

  prepare: Coordinator['prepare'] = (request) => prepare(request, this.#digest, this.#receive());

  request: Coordinator['request'] = (gid, request) => asked(gid, request, this.#receive());

  intervene: Coordinator['intervene'] = (request) =>
    intervene(request, { store: this.#store, digest: this.#digest }, this.#receive());

  wait(gid: Gid, options: { readonly waitMs: number; readonly signal?: WaitSignal }): Promise<TransactionView | null> {
    return waitFor(options, {
      clock: this.#clock,
      timers: this.#timers,
      mailbox: () => this.#mailboxes.get(gid),
      latest: () => this.get(gid),
      isShared: this.#store.capabilities.shared,
      stopped: () => this.#state === 'stopped',
    });
  }

  async get(gid: Gid): Promise<TransactionView | null> {
    return (await standing(gid, this.#reception))?.view ?? null;
  }

  history: Coordinator['history'] = (gid, page) => this.#store.history(gid, page);

  list: Coordinator['list'] = (query) => this.#store.list(query);

  audit: Coordinator['audit'] = (query) => this.#store.audit(query);

  calling(): number {
    return this.#outbound.calling;
  }

  async health(): Promise<CoordinatorHealth> {
    const { store, nodes, trouble } = await this.#readStore();
    const paused = this.#state === 'running' && this.#gate.reason !== '';
    return {
      state: paused ? 'paused' : this.#state,
      reason: this.#gate.reason || trouble,
      store,
      nodes,
      live: this.#mailboxes.size,
      waiting: this.places.waiting,
      calling: this.#outbound.calling,
      uncommitted: this.#commits.pending(),
    };
  }

  #refuseUnlessRunning(): void {
    if (this.#state === 'starting')
      throw new AmendsError('store_unavailable', 'the coordinator is starting; try again in a moment');
    if (this.#state !== 'running')
      throw new AmendsError('stopping', 'the coordinator is stopping; try again, or at another node');
    if (this.#gate.reason !== '')
      throw new AmendsError('store_unavailable', `the store cannot be used now: ${this.#gate.reason}`);
  }

  // ── MailboxHost ──────────────────────────────────────────────────────────────────────────────────────────────────

  get horizonMs(): number {
    return this.#mailboxes.horizonMs;
  }

  commit: MailboxHost['commit'] = (change, done) =>
    this.#commits.commit(change, (result) => {
      try {
        done(result);
      } catch (error) {
        this.#takeovers.failed(change.row.gid, error);
      }
      this.#whenIdle?.();
    });

  async load(gid: Gid): Promise<StoredTransaction | null> {
    const [stored = null] = await this.#store.load([gid]);
    const problem = stored === null ? null : unreadableBecause(stored, this.#digest);
    if (problem !== null) throw problem;
    return stored;
  }

  call(mailbox: Mailbox, effect: CallEffect, place: Place): void {
    void this.#outbound.call(mailbox, effect, place);
  }

  committed: MailboxHost['committed'] = (mailbox, previous, history) =>
    this.#observe({ previous, next: mailbox.tx!, given: mailbox.given, history });

  committedUnread: MailboxHost['committedUnread'] = (before, { row, history }) =>
    this.#observe({ previous: salvaged(before), next: salvaged(row), given: null, history });

  /** An observer is anybody's code: what it throws must not keep what was committed from being acted on. */
  #observe(committed: Committed): void {
    try {
      this.#observer(committed);
    } catch (error) {
      this.#log.error({ gid: committed.next.gid, err: error }, 'an observer of commits failed');
    }
  }

  handBack(mailbox: Mailbox): void {
    this.#mailboxes.handBack(mailbox);
  }

  after(delayMs: number, run: () => void): void {
    this.#timers.after(delayMs, run);
  }

  wakeAt(mailbox: Mailbox, at: EpochMs | null): void {
    this.#mailboxes.stays(mailbox);
    this.#wakes.set(mailbox, at);
    if (mailbox.tx !== null && isQuiet(mailbox.tx)) this.#takeovers.rests(mailbox);
  }

  close(mailbox: Mailbox): void {
    this.#mailboxes.remove(mailbox);
    this.#takeovers.rests(mailbox);
  }

  storeFailed(error: unknown, retry: () => void): void {
    this.#gate.failed(error, retry);
  }

  moment(): { readonly at: EpochMs; readonly jitter: number } {
    return { at: this.#clock.now(), jitter: this.#random.fraction() };
  }

  refused(mailbox: Mailbox, message: string): void {
    this.#takeovers.refused(mailbox, message);
  }

  unreadable(mailbox: Mailbox, error: AmendsError): void {
    this.#takeovers.failed(mailbox.gid, error);
  }
}
