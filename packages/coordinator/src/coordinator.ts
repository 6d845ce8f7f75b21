/** The coordinator as its users see it: a server around it, or a program that embeds it. */
import type {
  EpochMs,
  Gid,
  Given,
  HistoryEntry,
  InterventionVerb,
  RegisteredBranch,
  Spec,
  Transaction,
  Verdict,
} from '@amends/core';
import type { AuditQuery, ListPage, ListQuery, NodeRow, StoredAuditRow, StoreHealth } from '@amends/store';

/** Tells when nobody waits any more. An `AbortSignal` does; one for each request costs more than most of what it is told. */
export interface WaitSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Drives global transactions on one store. Any number of them may share a store that is `shared`. */
export interface Coordinator {
  /** Reads the store's time, takes over what nobody owns, begins to work. Idempotent. */
  start(): Promise<void>;

  /**
   * Refuses new work, lets calls in flight end, hands the rest over. Resolves within `graceMs`, whatever hangs; of that a
   * fifth, at most a second, is kept for breaking off what is in flight and for leaving the store. Default 10 s. Idempotent.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>;

  /** A fresh gid: 22 characters, unguessable, ordered by time. */
  newGid(): Gid;

  /** The store's time, carried on by a monotonic clock. */
  now(): EpochMs;

  /**
   * Begins a transaction, or lets one that was prepared go on; resolves when it is durable. The same gid again begins
   * nothing: it answers `repeated` when the spec is the same and `different` when it is not, with the transaction as it is.
   * @throws AmendsError `invalid_request`: an address in it may not be called; `overloaded`, `value_refused`: nothing was
   * stored; `stopping`, `store_unavailable`: nothing was stored, unless the store's answer was lost as well. In any case try
   * again with the same gid
   */
  submit(request: SubmitRequest): Promise<Submitted>;

  /**
   * Announces a transaction without doing anything yet; resolves when it is durable. Otherwise as `submit`.
   * @throws AmendsError `invalid_request` when transactions of this mode begin by being submitted
   */
  prepare(request: { readonly gid: Gid; readonly spec: Spec }): Promise<Submitted>;

  /**
   * Asks something of a transaction that exists: to be done, not to be done, to have a branch more, to be over. Resolves
   * when the answer is durable; the verdict says what became of it.
   * @throws AmendsError `not_found`, and those of `submit`
   */
  request(gid: Gid, request: TransactionRequest): Promise<Requested>;

  /**
   * The transaction as soon as it is finished, held, or quiet until a later retry, or as it is after `waitMs`, when
   * `signal` aborts, or when the coordinator has stopped. Works on any node.
   * @returns null when there is no such gid
   */
  wait(gid: Gid, options: { readonly waitMs: number; readonly signal?: WaitSignal }): Promise<TransactionView | null>;

  /** The transaction as of the last commit; null when there is none. */
  get(gid: Gid): Promise<TransactionView | null>;

  /** Its history by ascending seq. */
  history(gid: Gid, page: { readonly afterSeq: number; readonly limit: number }): Promise<readonly HistoryEntry[]>;

  /** Transactions, newest first; see `Store.list`. */
  list(query: ListQuery): Promise<ListPage>;

  /** What was done by hand, newest first; see `Store.audit`. */
  audit(query: AuditQuery): Promise<readonly StoredAuditRow[]>;

  /**
   * Acts on a transaction by hand; resolves when that is durable, audited.
   * @throws AmendsError `not_found`, `already_finished`, `version_conflict`, and those of `submit`
   */
  intervene(request: Intervention): Promise<TransactionView>;

  /** Calls in flight. */
  calling(): number;

  /** How it is; the store is read for it at most once in a second, whoever asks. Never rejects. */
  health(): Promise<CoordinatorHealth>;
}

/** What is to be done. */
export interface SubmitRequest {
  readonly gid: Gid;
  readonly spec: Spec;
  /**
   * What exists counts as the same only when the whole spec is. Left out: where a mode is prepared first and then submitted
   * (msg, tcc, xa), the submission may come with other options than the preparation, whose options hold; but the later delay of
   * both holds for a message.
   */
  readonly onlySame?: boolean;
}

/** Answer to `submit` and `prepare`. */
export interface Submitted {
  readonly verdict: 'created' | 'repeated' | 'different';
  readonly view: TransactionView;
}

/** What is asked of a transaction that exists. */
export type TransactionRequest =
  | { readonly type: 'submitted'; readonly notBefore?: EpochMs }
  | { readonly type: 'aborted'; readonly reason: string }
  | { readonly type: 'registered'; readonly branch: RegisteredBranch }
  | { readonly type: 'concluded'; readonly status: 'succeed' | 'failed'; readonly reason: string; readonly result: Uint8Array };

/** Answer to `request`. */
export interface Requested {
  readonly verdict: Verdict;
  readonly view: TransactionView;
}

/** A transaction with what it was asked to do. */
export interface TransactionView {
  readonly transaction: Transaction;
  /** What was asked of it, and what was recorded since. */
  readonly given: Given;
  /** When it will be looked at next; null: never, or calls are in flight or wait for their place. */
  readonly wakeAt: EpochMs | null;
}

/** An act of a human or of a tool on their behalf. */
export interface Intervention {
  readonly gid: Gid;
  readonly verb: InterventionVerb;
  readonly actor: string;
  readonly reason: string;
  /** Only when the transaction still has this version; null: whatever it has. */
  readonly expectedVersion: number | null;
}

export interface CoordinatorHealth {
  readonly state: 'starting' | 'running' | 'paused' | 'stopping' | 'stopped';
  /** Why it is paused, or why the store does not answer; empty otherwise. */
  readonly reason: string;
  readonly store: StoreHealth | null;
  readonly nodes: readonly NodeRow[];
  /**
   * Transactions in memory, those that wait for a place at a participant host, calls in flight, changes that wait for their
   * commit.
   */
  readonly live: number;
  readonly waiting: number;
  readonly calling: number;
  readonly uncommitted: number;
}
