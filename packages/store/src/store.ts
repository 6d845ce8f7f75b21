/**
 * The Store port: where transactions live. Twelve methods, each a step of the domain. Every implementation passes the
 * contract suite in `contract/`; what databases do differently is data in `capabilities`.
 *
 * Errors: a method rejects with `AmendsError`:
 * - `store_unavailable`: the database cannot be reached or written now (connection, disk full, busy). Nothing of this
 *   call was applied; but a claim may have been. Try again later.
 * - `store_refused`: it cannot be used as it is (corrupt, newer schema, no permission). A human must act.
 * `commit` alone also knows *unknown*, as an answer per transaction. Anything else thrown is a bug.
 */
import type { EpochMs, Gid, HistoryEntry, NodeId, Status, StoredRecord, StoredSpec, TransactionRow } from '@amends/core';

/** The port; what its methods promise is said at each. */
export interface Store {
  readonly capabilities: StoreCapabilities;

  /**
   * Applies each change as a whole or not at all, independently of the others: row, spec, write-once records, history,
   * documents and audit of one change become visible together and are durable when the promise resolves.
   * A change is *applied* when the stored version equals `expectedVersion` (0: no such gid) and all its documents'
   * expectations hold; otherwise it is a *conflict* and leaves no trace, history and audit included.
   * A loose change has no row: it is applied when its documents' expectations hold.
   * The order of changes within the call carries no meaning; one call never holds two changes of one gid or of one document.
   * @returns one answer per change, in order
   */
  commit(changes: readonly AnyChange[]): Promise<readonly CommitAnswer[]>;

  /** Reads transactions as of now with their specs; `null` where there is none. Same order as `gids`. */
  load(gids: readonly Gid[]): Promise<readonly (StoredTransaction | null)[]>;

  /**
   * Takes up to `limit` transactions, longest due first, that are due at or before `dueBefore` and whose owner is null or
   * not alive: not `node` itself and not among the nodes that have a heartbeat younger than their time to live.
   * With `driven`, what `node` itself owns is claimed like the work of the dead, but for those gids: so a node gets what
   * an earlier claim took for it when the answer to that was lost.
   * Each gets owner `node`, epoch + 1, version + 1 and is returned as it is afterwards, atomically: of two nodes that
   * claim at the same time, one gets it. Rows or specs of a format newer than this version are left alone.
   */
  claim(request: ClaimRequest): Promise<readonly StoredTransaction[]>;

  /** Rows for people, newest first by (createdAt, gid), without specs. Stable under concurrent inserts. */
  list(query: ListQuery): Promise<ListPage>;

  /** History of one transaction by ascending seq, after `afterSeq`, at most `limit` rows. */
  history(gid: Gid, page: { readonly afterSeq: number; readonly limit: number }): Promise<readonly HistoryEntry[]>;

  /**
   * Says that `node` lives, for `ttlMs` from now.
   * @returns the store's time: never earlier than any time returned before, in this process or an earlier one
   */
  heartbeat(beat: { readonly node: NodeId; readonly ttlMs: number; readonly name: string }): Promise<EpochMs>;

  /** The nodes that are alive. */
  nodes(): Promise<readonly NodeRow[]>;

  /** Documents of one kind by key, or one of them; by ascending key. */
  documents(kind: string, key?: string): Promise<readonly StoredDocument[]>;

  /** Audit rows, newest first, before `beforeId` when given. */
  audit(query: AuditQuery): Promise<readonly StoredAuditRow[]>;

  /**
   * Deletes up to `limit` transactions that ended so before the moment, with specs, records and history; oldest first.
   * Audit rows stay. A store in a file gives a little of the space back that is free.
   */
  purge(request: PurgeRequest): Promise<Purged>;

  /** Resolves when the store can be read and written, with a word on how it is; rejects otherwise. */
  ping(): Promise<StoreHealth>;

  /** Finishes what was begun, records the time, releases everything. Idempotent; other calls reject afterwards. */
  close(): Promise<void>;
}

/** How this store differs from others. */
export interface StoreCapabilities {
  /** `memory`, `sqlite`, … */
  readonly name: string;
  /** What was written survives the end of the process. */
  readonly durable: boolean;
  /** Several coordinator processes may use it at once. */
  readonly shared: boolean;
  /** Commits that may be under way at once; 1: one connection writes. */
  readonly commitsInFlightMax: number;
  /** Changes that one commit takes at most. */
  readonly changesPerCommitMax: number;
}

/** What one decision changes. */
export interface Change {
  readonly expectedVersion: number;
  /** The row as it shall be; its version is `expectedVersion + 1`. */
  readonly row: TransactionRow;
  /** With the first commit of a gid, and only then. */
  readonly spec: StoredSpec | null;
  /** Appended rows; their seqs continue the stored ones. */
  readonly history: readonly HistoryEntry[];
  /** Written once and never changed: a second record of the same name makes the change a conflict. */
  readonly records: readonly StoredRecord[];
  readonly documents: readonly DocumentChange[];
  readonly audit: readonly AuditRow[];
}

/** Documents and audit rows that belong to no transaction, such as a topic that somebody subscribes to. */
export interface LooseChange {
  readonly row: null;
  readonly documents: readonly DocumentChange[];
  readonly audit: readonly AuditRow[];
}

/** Whatever is applied as a whole or not at all. */
export type AnyChange = Change | LooseChange;

/**
 * - `applied`: durable. - `conflict`: somebody else's commit came first; nothing was written.
 * - `unknown`: the connection broke or the disk failed while committing; read back to know.
 * - `refused`: the database does not take a value of this change, alone or in company; nothing was written.
 */
export type CommitAnswer =
  | { readonly fate: 'applied' }
  | { readonly fate: 'conflict' }
  | { readonly fate: 'unknown' }
  | { readonly fate: 'refused'; readonly message: string };

/** A transaction as read. */
export interface StoredTransaction {
  readonly row: TransactionRow;
  /** `unreadSpec` when it, or what is recorded beside it, is not there or damaged: that keeps no other one from being read. */
  readonly spec: StoredSpec;
  readonly records: readonly StoredRecord[];
}

export interface ClaimRequest {
  readonly node: NodeId;
  readonly dueBefore: EpochMs;
  readonly limit: number;
  /** What `node` drives; given after a claim whose answer was lost. Absent: nothing of its own is claimed. */
  readonly driven?: readonly Gid[];
}

/** Which audit rows; every given condition must hold. */
export interface AuditQuery {
  readonly gid?: Gid;
  readonly beforeId?: number;
  readonly limit: number;
}

/** What is deleted. */
export interface PurgeRequest {
  readonly status: Extract<Status, 'succeed' | 'failed'>;
  readonly finishedBefore: EpochMs;
  readonly limit: number;
}

/** What was deleted. */
export interface Purged {
  /** Transactions. */
  readonly count: number;
  /** Whether there is more to delete, or more space to give back. */
  readonly more: boolean;
}

/** What a list shows; every given filter must match. */
export interface ListQuery {
  readonly status?: Status;
  readonly mode?: string;
  /** true: only those on hold; false: only those not. */
  readonly held?: boolean;
  readonly createdFrom?: EpochMs;
  /** Exclusive. */
  readonly createdBefore?: EpochMs;
  /** Where the page before ended; rows come after it. */
  readonly after?: ListPosition;
  readonly limit: number;
}

/** A place in the order of lists. */
export interface ListPosition {
  readonly createdAt: EpochMs;
  readonly gid: Gid;
}

export interface ListPage {
  readonly rows: readonly TransactionRow[];
  /** Where to go on; null: this was the end. */
  readonly next: ListPosition | null;
}

/** A living node. */
export interface NodeRow {
  readonly node: NodeId;
  /** Its host and process, for people. */
  readonly name: string;
  readonly startedAt: EpochMs;
  readonly aliveUntil: EpochMs;
}

/** A small document with its own compare-and-swap. */
export interface StoredDocument {
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly content: string;
}

/** Creates (`expectedVersion` 0), replaces, or with `content` null deletes a document. */
export interface DocumentChange {
  readonly kind: string;
  readonly key: string;
  readonly expectedVersion: number;
  readonly content: string | null;
}

/** What a human did, kept apart from the transaction's own life. */
export interface AuditRow {
  readonly at: EpochMs;
  /** Empty: it was about no transaction; `detail` says about what. */
  readonly gid: Gid | '';
  readonly actor: string;
  readonly verb: string;
  readonly reason: string;
  /** JSON with what else is known. */
  readonly detail: string;
}

/** An audit row as the store keeps it. */
export interface StoredAuditRow extends AuditRow {
  /** Ascending in order of commit. */
  readonly id: number;
}

/** How a store is, for people and metrics. */
export interface StoreHealth {
  /** Time of the round trip. Milliseconds. */
  readonly latencyMs: number;
  /** Facts such as schema version, file size, journal mode. */
  readonly facts: Readonly<Record<string, string | number>>;
}
