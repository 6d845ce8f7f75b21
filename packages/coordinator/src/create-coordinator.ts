/** Puts the coordinator together: the drive of transactions, membership, take-overs, retention, requests. */
import { AmendsError, type EpochMs, type Gid, gidRandomBytes, makeGid, type NodeId } from '@amends/core';
import type { Store } from '@amends/store';
import { AddressBook } from './calls/address/address-book.ts';
import { type CheckAddress, refuseForbidden } from './calls/address/network-address.ts';
import { failureTeller } from './calls/failing-hosts.ts';
import { grpcTransport } from './calls/grpc/grpc-transport.ts';
import { httpTransport } from './calls/http/http-transport.ts';
import { transportByScheme } from './calls/transport-by-scheme.ts';
import type { Coordinator, CoordinatorHealth, TransactionView, WaitSignal } from './coordinator.ts';
import { Drive, type DriveWatcher } from './drive/drive.ts';
import { Membership, type MembershipOptions } from './nodes/membership.ts';
import { Retention, type RetentionOptions } from './nodes/retention.ts';
import { type StoreReading, sharedReading } from './nodes/store-reading.ts';
import { Takeovers } from './nodes/takeovers.ts';
import {
  type AnchoredClock,
  anchoredClock,
  freshNodeId,
  harmless,
  processName,
  sha256,
  silentLog,
  systemRandom,
  systemTimers,
} from './ports/host.ts';
import type { CallObserver, Clock, Digest, Log, Observer, Random, Timers, Transport } from './ports/ports.ts';
import { timeLimit } from './ports/time-limit.ts';
import { ask } from './requests/asking.ts';
import { intervene } from './requests/intervening.ts';
import type { Reception } from './requests/requests.ts';
import { prepare, submit } from './requests/submitting.ts';
import { waitFor } from './requests/waiting.ts';
import { findStanding } from './requests/whereabouts.ts';

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
  /** Hears of each call's outcome before the transaction does. */
  readonly callObserver?: CallObserver;
  /** Calls at once to one participant host; more wait for their place without having been started. Default 128. */
  readonly perHostInFlightMax?: number;
  /** Transactions that are busy or due within a second, above which new ones are refused as `overloaded`. Default 20,000. */
  readonly liveMax?: number;
  /**
   * Bytes of requests and records of transactions in memory, above which new ones are refused as `overloaded`. Default 256
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

/** What users get: what its type says and nothing else. */
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

class LocalCoordinator implements Coordinator {
  readonly #store: Store;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #digest: Digest;
  readonly #ownClock: AnchoredClock | null;
  readonly #clock: Clock;
  readonly #drive: Drive;
  readonly #takeovers: Takeovers;
  readonly #membership: Membership;
  readonly #retention: Retention;
  readonly #reception: Reception;
  readonly #readStore: () => Promise<StoreReading>;
  #askedAt = 0;
  #state: CoordinatorHealth['state'] = 'starting';
  #started: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: CoordinatorOptions) {
    const { store, timers = systemTimers, random = systemRandom(), digest = sha256 } = options;
    const log = options.log === undefined ? silentLog : harmless(options.log);
    const node = options.node ?? freshNodeId();
    this.#store = store;
    this.#timers = timers;
    this.#random = random;
    this.#digest = digest;
    this.#ownClock = options.clock === undefined ? anchoredClock() : null;
    this.#clock = options.clock ?? this.#ownClock!;
    const clock = this.#clock;
    const addresses = new AddressBook(options.checkAddress ?? refuseForbidden);
    const transport = options.transport ?? everyTransport();
    const tellFailures = failureTeller({ log, clock });
    const { observer = () => {}, callObserver } = options;
    const callObservers = callObserver === undefined ? [tellFailures] : [tellFailures, callObserver];
    const bounds = {
      perHostInFlightMax: options.perHostInFlightMax ?? defaults.perHostInFlightMax,
      liveMax: options.liveMax ?? defaults.liveMax,
      requestBytesMax: options.requestBytesMax ?? defaults.requestBytesMax,
    };
    const parts = { node, store, transport, addresses, clock, timers, random, digest, log, observer, callObservers };
    this.#drive = new Drive({ ...parts, ...bounds, watcher: this.#watcher() });
    this.#takeovers = new Takeovers({
      drive: this.#drive,
      store,
      digest,
      timers,
      log,
      isRunning: () => this.#state === 'running',
      onRest: () => this.#membership.roomAgain(),
    });
    this.#readStore = sharedReading(store, clock);
    this.#reception = {
      drive: this.#drive,
      isShared: store.capabilities.shared,
      refuseUnlessOpen: () => this.#refuseUnlessRunning(),
      judgeAddress: (url) => addresses.of(url).forbidden,
    };
    this.#membership = this.#join(node, options, log);
    const { retainSucceededMs = defaults.retainMs, retainFailedMs = defaults.retainMs } = options;
    this.#retention = new Retention(
      { retainSucceededMs, retainFailedMs },
      { store, timers, clock, log, isAsked: () => this.#isAsked() },
    );
  }

  #watcher(): DriveWatcher {
    return {
      rests: (mailbox) => this.#takeovers.rests(mailbox),
      refused: (mailbox, message) => this.#takeovers.refused(mailbox, message),
      failed: (gid, error) => this.#takeovers.failed(gid, error),
    };
  }

  #join(node: NodeId, options: CoordinatorOptions, log: Log): Membership {
    const { mailboxes } = this.#drive;
    return new Membership(
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
        log,
        keepTime: (ask) => this.#keepTime(ask),
        adopt: (stored) => this.#takeovers.adopt(stored),
        recovering: () => this.#takeovers.underWay,
        room: () => Math.ceil(mailboxes.room() * claimedShare),
        isAsked: () => this.#isAsked(),
        horizonMs: () => mailboxes.claimHorizonMs,
        driven: () => [...mailboxes.gids(), ...this.#takeovers.leftAlone()],
      },
    );
  }

  #isAsked(): boolean {
    return this.#clock.now() < this.#askedAt + askedForMs;
  }

  /** Where the store's time has gone ahead of this clock, what is due by it is woken now. */
  async #keepTime(ask: () => Promise<EpochMs>): Promise<EpochMs> {
    const told = await (this.#ownClock?.anchor(ask) ?? ask());
    this.#drive.wakes.look();
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
    this.#drive.places.close();
    const limit = timeLimit(graceMs, this.#timers);
    const limitOfWork = timeLimit(graceMs - Math.min(partingMsMax, graceMs / 5), this.#timers);
    if (this.#started !== null) await limitOfWork.within(this.#started);
    await limitOfWork.within(this.#drive.finish());
    limitOfWork.cancel();
    this.#takeovers.stop();
    const brokenOff = this.#drive.stop();
    await limit.within(this.#retention.stop());
    await limit.within(brokenOff);
    if (this.#started !== null) await this.#membership.leave(limit);
    limit.cancel();
    this.#state = 'stopped';
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

  request: Coordinator['request'] = (gid, request) => ask(gid, request, this.#receive());

  intervene: Coordinator['intervene'] = (request) =>
    intervene(request, { store: this.#store, digest: this.#digest }, this.#receive());

  wait(gid: Gid, options: { readonly waitMs: number; readonly signal?: WaitSignal }): Promise<TransactionView | null> {
    return waitFor(options, {
      clock: this.#clock,
      timers: this.#timers,
      mailbox: () => this.#drive.mailboxes.get(gid),
      latest: () => this.get(gid),
      isShared: this.#store.capabilities.shared,
      stopped: () => this.#state === 'stopped',
    });
  }

  async get(gid: Gid): Promise<TransactionView | null> {
    return (await findStanding(gid, this.#reception))?.view ?? null;
  }

  history: Coordinator['history'] = (gid, page) => this.#store.history(gid, page);

  list: Coordinator['list'] = (query) => this.#store.list(query);

  audit: Coordinator['audit'] = (query) => this.#store.audit(query);

  calling(): number {
    return this.#drive.calling;
  }

  async health(): Promise<CoordinatorHealth> {
    const { store, nodes, trouble } = await this.#readStore();
    const { gate, mailboxes, places, calling, uncommitted } = this.#drive;
    const paused = this.#state === 'running' && gate.reason !== '';
    return {
      state: paused ? 'paused' : this.#state,
      reason: gate.reason || trouble,
      store,
      nodes,
      live: mailboxes.size,
      waiting: places.waiting,
      calling,
      uncommitted,
    };
  }

  #refuseUnlessRunning(): void {
    if (this.#state === 'starting')
      throw new AmendsError('store_unavailable', 'the coordinator is starting; try again in a moment');
    if (this.#state !== 'running')
      throw new AmendsError('stopping', 'the coordinator is stopping; try again, or at another node');
    const { reason } = this.#drive.gate;
    if (reason !== '') throw new AmendsError('store_unavailable', `the store cannot be used now: ${reason}`);
  }
}
