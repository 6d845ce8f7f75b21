/**
 * The store in memory: for tests, for trying things out, for the simulator. Nothing survives the process; several
 * coordinators of one process may share it. Every method takes effect at one moment, so each is atomic.
 */
import {
  AmendsError,
  type EpochMs,
  epochMs,
  type Gid,
  type HistoryEntry,
  isFinished,
  type NodeId,
  specFormat,
  stateFormat,
  type TransactionRow,
} from '@amends/core';
import type {
  AuditRow,
  Change,
  ClaimRequest,
  CommitAnswer,
  DocumentChange,
  ListPage,
  ListQuery,
  NodeRow,
  Store,
  StoreCapabilities,
  StoredAuditRow,
  StoredDocument,
  StoredTransaction,
  StoreHealth,
  WriteOnceRecord,
} from './store.ts';

/** How a memory store tells the time. */
export interface MemoryStoreOptions {
  /** Milliseconds since 1970; default: the wall clock. */
  readonly now?: () => number;
}

interface Entry {
  row: TransactionRow;
  readonly spec: StoredTransaction['spec'];
  readonly records: WriteOnceRecord[];
  readonly history: HistoryEntry[];
}

/** Opens an empty store in memory. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options.now ?? Date.now);
}

class MemoryStore implements Store {
  readonly capabilities: StoreCapabilities = {
    name: 'memory',
    durable: false,
    shared: true,
    commitsInFlightMax: 1,
    changesPerCommitMax: 1_000,
  };
  readonly #now: () => number;
  readonly #entries = new Map<Gid, Entry>();
  readonly #documents = new Map<string, StoredDocument>();
  readonly #nodes = new Map<NodeId, NodeRow>();
  readonly #audit: StoredAuditRow[] = [];
  #latest = 0;
  #closed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  async commit(changes: readonly Change[]): Promise<readonly CommitAnswer[]> {
    this.#refuseWhenClosed();
    return changes.map((change) => this.#apply(change));
  }

  #apply(change: Change): CommitAnswer {
    const { row, expectedVersion } = change;
    const entry = this.#entries.get(row.gid);
    const fits =
      (entry?.row.version ?? 0) === expectedVersion && this.#documentsFit(change.documents) && recordsFit(entry, change);
    if (!fits) return { outcome: 'conflict' };
    if (entry === undefined && change.spec === null)
      return { outcome: 'refused', message: `the first change of ${row.gid} has no spec` };
    const target = entry ?? { row, spec: change.spec!, records: [], history: [] };
    target.row = row;
    target.records.push(...change.records);
    target.history.push(...change.history);
    this.#entries.set(row.gid, target);
    for (const document of change.documents) this.#applyDocument(document);
    for (const audited of change.audit) this.#append(audited);
    return { outcome: 'applied' };
  }

  #documentsFit(documents: readonly DocumentChange[]): boolean {
    return documents.every(
      ({ kind, key, expectedVersion }) => (this.#documents.get(documentKey(kind, key))?.version ?? 0) === expectedVersion,
    );
  }

  #applyDocument({ kind, key, expectedVersion, content }: DocumentChange): void {
    if (content === null) this.#documents.delete(documentKey(kind, key));
    else this.#documents.set(documentKey(kind, key), { kind, key, version: expectedVersion + 1, content });
  }

  #append(audited: AuditRow): void {
    this.#audit.push({ ...audited, id: this.#audit.length + 1 });
  }

  async load(gids: readonly Gid[]): Promise<readonly (StoredTransaction | null)[]> {
    this.#refuseWhenClosed();
    return gids.map((gid) => {
      const entry = this.#entries.get(gid);
      return entry === undefined ? null : stored(entry);
    });
  }

  async claim({ node, dueBefore, limit }: ClaimRequest): Promise<readonly StoredTransaction[]> {
    this.#refuseWhenClosed();
    const alive = new Set(this.#alive().map((each) => each.node));
    alive.add(node);
    const free = [...this.#entries.values()].filter(
      ({ row, spec }) =>
        row.dueAt !== null &&
        row.dueAt <= dueBefore &&
        (row.owner === null || !alive.has(row.owner)) &&
        row.format <= stateFormat &&
        spec.format <= specFormat,
    );
    const longestDue = free.sort((a, b) => a.row.dueAt! - b.row.dueAt!).slice(0, limit);
    return longestDue.map((entry) => {
      const { row } = entry;
      entry.row = { ...row, owner: node, epoch: row.epoch + 1, version: row.version + 1 };
      return stored(entry);
    });
  }

  async list(query: ListQuery): Promise<ListPage> {
    this.#refuseWhenClosed();
    const rows = [...this.#entries.values()]
      .map(({ row }) => row)
      .filter((row) => matches(row, query))
      .sort(newestFirst);
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      rows: page,
      next: rows.length > page.length && last !== undefined ? { createdAt: last.createdAt, gid: last.gid } : null,
    };
  }

  async history(gid: Gid, page: { readonly afterSeq: number; readonly limit: number }): Promise<readonly HistoryEntry[]> {
    this.#refuseWhenClosed();
    const entries = this.#entries.get(gid)?.history ?? [];
    return entries.filter(({ seq }) => seq > page.afterSeq).slice(0, page.limit);
  }

  async heartbeat(beat: { readonly node: NodeId; readonly ttlMs: number; readonly name: string }): Promise<EpochMs> {
    this.#refuseWhenClosed();
    const now = this.#time();
    const startedAt = this.#nodes.get(beat.node)?.startedAt ?? now;
    this.#nodes.set(beat.node, { node: beat.node, name: beat.name, startedAt, aliveUntil: epochMs(now + beat.ttlMs) });
    for (const other of this.#nodes.values()) if (other.aliveUntil <= now) this.#nodes.delete(other.node);
    return now;
  }

  async nodes(): Promise<readonly NodeRow[]> {
    this.#refuseWhenClosed();
    return this.#alive();
  }

  async documents(kind: string, key?: string): Promise<readonly StoredDocument[]> {
    this.#refuseWhenClosed();
    const found = [...this.#documents.values()].filter((each) => each.kind === kind && (key === undefined || each.key === key));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async audit(query: {
    readonly gid?: Gid;
    readonly beforeId?: number;
    readonly limit: number;
  }): Promise<readonly StoredAuditRow[]> {
    this.#refuseWhenClosed();
    const { gid, beforeId = Number.POSITIVE_INFINITY, limit } = query;
    const found = this.#audit.filter((row) => row.id < beforeId && (gid === undefined || row.gid === gid));
    return found.reverse().slice(0, limit);
  }

  async purge({ finishedBefore, limit }: { readonly finishedBefore: EpochMs; readonly limit: number }): Promise<number> {
    this.#refuseWhenClosed();
    const old = [...this.#entries.values()]
      .map(({ row }) => row)
      .filter((row) => isFinished(row) && row.finishedAt !== null && row.finishedAt < finishedBefore)
      .sort((a, b) => a.finishedAt! - b.finishedAt!)
      .slice(0, limit);
    for (const { gid } of old) this.#entries.delete(gid);
    return old.length;
  }

  async ping(): Promise<StoreHealth> {
    this.#refuseWhenClosed();
    return { latencyMs: 0, facts: { store: 'memory', transactions: this.#entries.size } };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #alive(): NodeRow[] {
    const now = this.#time();
    return [...this.#nodes.values()].filter(({ aliveUntil }) => aliveUntil > now);
  }

  #time(): EpochMs {
    this.#latest = Math.max(this.#latest, this.#now());
    return epochMs(this.#latest);
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new AmendsError('store_unavailable', 'the store is closed');
  }
}

/** A transaction as it is handed out: rows, specs and records are never changed in place, the lists are copies. */
function stored({ row, spec, records }: Entry): StoredTransaction {
  return { row, spec, records: [...records] };
}

function recordsFit(entry: Entry | undefined, change: Change): boolean {
  const known = new Set(entry?.records.map(({ kind, key }) => documentKey(kind, key)));
  return change.records.every(({ kind, key }) => !known.has(documentKey(kind, key)));
}

function documentKey(kind: string, key: string): string {
  return JSON.stringify([kind, key]);
}

function matches(row: TransactionRow, query: ListQuery): boolean {
  return (
    (query.status === undefined || row.status === query.status) &&
    (query.mode === undefined || row.mode === query.mode) &&
    (query.held === undefined || (row.hold !== null) === query.held) &&
    (query.createdFrom === undefined || row.createdAt >= query.createdFrom) &&
    (query.createdBefore === undefined || row.createdAt < query.createdBefore) &&
    (query.after === undefined || newestFirst(query.after, row) < 0)
  );
}

interface Placed {
  readonly createdAt: EpochMs;
  readonly gid: Gid;
}

function newestFirst(a: Placed, b: Placed): number {
  return b.createdAt - a.createdAt || (a.gid < b.gid ? 1 : a.gid > b.gid ? -1 : 0);
}
