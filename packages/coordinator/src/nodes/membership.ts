/**
 * A node is one among others on a store. Its heartbeat says that it lives, and it claims the work that nobody does. It claims
 * only as fast as it drives, so a backlog of any size takes bounded memory, and new transactions keep their share.
 */
import { AmendsError, type EpochMs, epochMs, type Gid, type NodeId } from '@amends/core';
import type { ClaimRequest, Store, StoredTransaction } from '@amends/store';
import type { Clock, Log, Timers } from '../ports/ports.ts';
import type { TimeLimit } from '../ports/time-limit.ts';

/** A claim whose answer was lost may still take effect within this. Milliseconds. */
const lateEffectMs = 30_000;

/** While requests come in, a node claims so many at once and so many per second at most. */
const gentle = { claimMax: 8, perS: 1_300 };

/** The times and bounds of a node's life among others. */
export interface MembershipOptions {
  readonly node: NodeId;
  /** For people: host and process. */
  readonly nodeName: string;
  readonly heartbeatEveryMs: number;
  /** After this long without a heartbeat others take over. Milliseconds. */
  readonly timeToLiveMs: number;
  readonly claimEveryMs: number;
  /** Claimed transactions under way at once. */
  readonly recoveringMax: number;
}

interface MembershipPorts {
  readonly store: Store;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
  /** Asks for the store's time, and keeps the own clock to it. */
  keepTime(ask: () => Promise<EpochMs>): Promise<EpochMs>;
  /** Takes a claimed transaction on. */
  adopt(stored: StoredTransaction): void;
  /** Claimed transactions that are still under way. */
  recovering(): number;
  /** There is room for this many more transactions. */
  room(): number;
  /** Whether requests came in a moment ago; they must not wait for what is claimed. */
  isAsked(): boolean;
  /** Work that is due within this time is claimed. Milliseconds. */
  horizonMs(): number;
  /** All that this node drives, and what it owns and leaves alone on purpose. */
  driven(): readonly Gid[];
}

/** One node's life on a store, from the first heartbeat to the last. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #around: MembershipPorts;
  #cancelHeartbeat: (() => void) | null = null;
  #cancelClaim: (() => void) | null = null;
  #beating: Promise<void> | null = null;
  #claiming: Promise<void> | null = null;
  #cancelPatience: (() => void) | null = null;
  #moreIsThere = false;
  /** The moment of the next claim at a gentle pace. Milliseconds since 1970. */
  #gentlyAt = 0;
  /** Until then the store may give this node work that it never hears of; null: it has heard of all. Milliseconds since 1970. */
  #lossUntil: number | null = null;
  #claimsNoMore = false;
  #stopped = false;

  constructor(options: MembershipOptions, around: MembershipPorts) {
    this.#options = options;
    this.#around = around;
  }

  /** Joins by the first heartbeat. */
  async join(): Promise<void> {
    await this.#beat(this.#options.timeToLiveMs);
    this.#beatLater();
  }

  /** Begins to claim, and goes on. */
  startClaiming(): void {
    this.#claimNow();
  }

  /** Claims at once, or soon, when there is room again and the last claim left some work. */
  roomAgain(): void {
    const { recovering, room, isAsked, clock } = this.#around;
    if (!this.#moreIsThere || this.#claiming !== null || recovering() > this.#options.recoveringMax / 2) return;
    if (room() > 0) this.#claimAfter(isAsked() ? Math.max(0, this.#gentlyAt - clock.now()) : 0);
  }

  /** Claims nothing more, but goes on saying that it lives. */
  stopClaiming(): void {
    this.#claimsNoMore = true;
    this.#cancelClaim?.();
  }

  /** Leaves by a last heartbeat, after which others may take over at once. It is sent however little time is left. */
  async leave(limit: TimeLimit): Promise<void> {
    this.stopClaiming();
    this.#stopped = true;
    this.#cancelHeartbeat?.();
    await limit.within(Promise.all([this.#claiming, this.#beating]));
    this.#cancelPatience?.();
    const { log } = this.#around;
    const goodbye = this.#beat(0).catch((error: unknown) => log.warn({ err: error }, 'could not say goodbye to the store'));
    await limit.within(goodbye);
  }

  #beat(ttlMs: number): Promise<EpochMs> {
    const { node, nodeName } = this.#options;
    return this.#around.keepTime(() => this.#around.store.heartbeat({ node, ttlMs, name: nodeName }));
  }

  #beatLater(): void {
    if (this.#stopped) return;
    this.#cancelHeartbeat = this.#around.timers.after(this.#options.heartbeatEveryMs, () => {
      this.#beating = this.#beat(this.#options.timeToLiveMs)
        .then(() => {})
        .catch((error: unknown) => this.#around.log.warn({ err: error }, 'heartbeat failed'))
        .finally(() => this.#beatLater());
    });
  }

  #claimAfter(pauseMs: number): void {
    if (pauseMs === 0) return this.#claimNow();
    if (this.#claimsNoMore) return;
    this.#cancelClaim?.();
    this.#cancelClaim = this.#around.timers.after(pauseMs, () => this.#claimNow());
  }

  #claimNow(): void {
    if (this.#claimsNoMore || this.#claiming !== null) return;
    this.#cancelClaim?.();
    this.#cancelClaim = null;
    this.#claiming = this.#claim()
      .catch((error: unknown) => this.#around.log.warn({ err: error }, 'claiming failed'))
      .finally(() => {
        this.#claiming = null;
        this.#claimAfter(this.#options.claimEveryMs);
        this.roomAgain();
      });
  }

  async #claim(): Promise<void> {
    const free = Math.min(this.#options.recoveringMax - this.#around.recovering(), this.#around.room());
    const limit = this.#around.isAsked() ? Math.min(free, gentle.claimMax) : free;
    if (limit <= 0) return;
    const now = this.#around.clock.now();
    this.#gentlyAt = now + Math.ceil((limit * 1_000) / gentle.perS);
    const dueBefore = epochMs(now + this.#around.horizonMs());
    const driven = this.#lossUntil === null ? {} : { driven: this.#around.driven() };
    const claimed = await this.#answerTo({ node: this.#options.node, dueBefore, limit, ...driven });
    this.#moreIsThere = claimed.length === limit;
    if (this.#lossUntil !== null && now >= this.#lossUntil && !this.#moreIsThere) this.#lossUntil = null;
    if (claimed.length > 0) this.#around.log.info({ count: claimed.length }, 'took over transactions');
    for (const stored of claimed) this.#around.adopt(stored);
  }

  /** Waits for the answer to a claim. One that fails or comes after the time to live is lost; what it took is claimed again. */
  #answerTo(request: ClaimRequest): Promise<readonly StoredTransaction[]> {
    const { store, timers } = this.#around;
    return new Promise((resolve, reject) => {
      let isLate = false;
      this.#cancelPatience = timers.after(this.#options.timeToLiveMs, () => {
        isLate = true;
        this.#doubtClaims();
        reject(new AmendsError('store_unavailable', `claim: no answer within ${this.#options.timeToLiveMs} ms`));
      });
      const lose = (error: unknown) => {
        this.#doubtClaims();
        reject(error);
      };
      const hear = (claimed: readonly StoredTransaction[]) => (isLate ? this.#doubtClaims() : resolve(claimed));
      store.claim(request).then(hear, lose).finally(this.#cancelPatience);
    });
  }

  /** Has claims ask, for a while, for what this node owns without driving it, too. */
  #doubtClaims(): void {
    this.#lossUntil = this.#around.clock.now() + lateEffectMs;
  }
}
