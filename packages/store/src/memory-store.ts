/**
 * The store that keeps everything in this process's memory: for tests, for trying out, and for the simulator. Several
 * coordinators of one process may share it. Deterministic: time comes from `now`, order from insertion and sorting.
 */
import { AmendsError, type EpochMs, epochMs, type Gid, isFinished, isNewer, type TransactionRow } from '@amends/core';
import { refusalOf } from './change-rules.ts';
import { MemoryDocuments } from './memory-documents.ts';
import { copyOut, type Entry, extend, holdsAny, makeEntry } from './memory-entry.ts';
import type {
  AnyChange,
  Change,
  ClaimRequest,
  CommitAnswer,
  ListPage,
  ListQuery,
  LooseChange,
  NodeRow,
  Store,
  StoreCapabilities,
  StoredAuditRow,
  StoredTransaction,
} from './store.ts';

/** How a memory store is made. */
export interface MemoryStoreOptions {
  /** Its clock. Milliseconds since 1970; may step back, the store's time does not. Default: `Date.now`. */
  readonly now?: () => number;
}

const capabilities: StoreCapabilities = {
  name: 'memory',
  durable: false,
  shared: false,
  commitsInFlightMax: 1,
  changesPerCommitMax: 1_000,
};

/** Opens an empty store in memory. What it holds ends with it. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options.now ?? Date.now);
}

class MemoryStore implements Store {
  readonly capabilities = capabilities;
  readonly #clock: () => number;
  readonly #entries = new Map<Gid, Entry>();
  /** Gids with a due time, so that finished transactions cost claims nothing. */
  readonly #due = new Set<Gid>();
  /** In the order in which they finished. */
  readonly #finished = { succeed: new Set<Gid>(), failed: new Set<Gid>() };
  readonly #nodes = new Map<string, NodeRow>();
  readonly #documents = new MemoryDocuments();
  readonly #audit: StoredAuditRow[] = [];
  #timeHighWater = 0;
  #closed = false;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async commit(changes: readonly AnyChange[]): Promise<readonly CommitAnswer[]> {
    this.#assertOpen();
    return changes.map((change) => (change.row === null ? this.#applyLoose(change) : this.#apply(change)));
  }

  async load(gids: readonly Gid[]): Promise<readonly (StoredTransaction | null)[]> {
    this.#assertOpen();
    return gids.map((gid) => {
      const entry = this.#entries.get(gid);
      return entry === undefined ? null : copyOut(entry);
    });
  }

  async claim({ node, dueBefore, limit, driven }: ClaimRequest): Promise<readonly StoredTransaction[]> {
    this.#assertOpen();
    const alive = new Set(this.#alive().map((row) => row.node));
    const kept = new Set(driven);
    const free = ({ owner, gid }: TransactionRow) =>
      owner === node ? driven !== undefined && !kept.has(gid) : owner === null || !alive.has(owner);
    return [...this.#due]
      .map((gid) => this.#entries.get(gid)!)
      .filter(({ row, spec }) => row.dueAt! <= dueBefore && free(row) && !isNewer({ row, spec }))
      .sort((a, b) => a.row.dueAt! - b.row.dueAt! || order(a.row.gid, b.row.gid))
      .slice(0, limit)
      .map((entry) => {
        const { row } = entry;
        entry.row = Object.freeze({ ...row, owner: node, epoch: row.epoch + 1, version: row.version + 1 });
        return copyOut(entry);
      });
  }

  async list(query: ListQuery): Promise<ListPage> {
    this.#assertOpen();
    const rows = [...this.#entries.values()]
      .map((entry) => entry.row)
      .filter((row) => matches(row, query))
      .sort((a, b) => b.createdAt - a.createdAt || order(b.gid, a.gid));
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    const next = last !== undefined && rows.length > page.length ? { createdAt: last.createdAt, gid: last.gid } : null;
    return { rows: page, next };
  }

  history: Store['history'] = async (gid, { afterSeq, limit }) => {
    this.#assertOpen();
    const entries = this.#entries.get(gid)?.history ?? [];
    return entries.filter((entry) => entry.seq > afterSeq).slice(0, limit);
  };

  heartbeat: Store['heartbeat'] = async ({ node, ttlMs, name }) => {
    this.#assertOpen();
    const now = this.#now();
    const startedAt = this.#nodes.get(node)?.startedAt ?? now;
    this.#nodes.set(node, Object.freeze({ node, name, startedAt, aliveUntil: epochMs(now + ttlMs) }));
    return now;
  };

  async nodes(): Promise<readonly NodeRow[]> {
    this.#assertOpen();
    return this.#alive();
  }

  documents: Store['documents'] = async (kind, key) => {
    this.#assertOpen();
    return this.#documents.list(kind, key);
  };

  audit: Store['audit'] = async ({ gid, beforeId, limit }) => {
    this.#assertOpen();
    return this.#audit
      .filter((row) => (gid === undefined || row.gid === gid) && (beforeId === undefined || row.id < beforeId))
      .reverse()
      .slice(0, limit);
  };

  purge: Store['purge'] = async ({ status, finishedBefore, limit }) => {
    this.#assertOpen();
    const finished = this.#finished[status];
    let count = 0;
    for (const gid of finished) {
      if (count === limit || this.#entries.get(gid)!.row.finishedAt! >= finishedBefore) break;
      finished.delete(gid);
      this.#entries.delete(gid);
      count += 1;
    }
    return { count, more: count === limit };
  };

  ping: Store['ping'] = async () => {
    this.#assertOpen();
    return { latencyMs: 0, facts: { transactions: this.#entries.size } };
  };

  async close(): Promise<void> {
    this.#closed = true;
  }

  #apply(change: Change): CommitAnswer {
    const entry = this.#entries.get(change.row.gid);
    const message = refusalOf(change) ?? (entry === undefined ? null : refusalOfSeqs(entry, change));
    if (message !== null) return { fate: 'refused', message };
    if ((entry?.row.version ?? 0) !== change.expectedVersion) return { fate: 'conflict' };
    if (holdsAny(entry, change.records)) return { fate: 'conflict' };
    if (!this.#documents.allow(change.documents)) return { fate: 'conflict' };
    this.#write(entry ?? makeEntry(change.row, change.spec!), change);
    return { fate: 'applied' };
  }

  #applyLoose(change: LooseChange): CommitAnswer {
    if (!this.#documents.allow(change.documents)) return { fate: 'conflict' };
    this.#writeLoose(change);
    return { fate: 'applied' };
  }

  #write(entry: Entry, change: Change): void {
    extend(entry, change);
    const { gid, dueAt, status } = entry.row;
    this.#entries.set(gid, entry);
    if (dueAt === null || isFinished(entry.row)) this.#due.delete(gid);
    else this.#due.add(gid);
    if (status === 'succeed' || status === 'failed') this.#finished[status].add(gid);
    this.#writeLoose(change);
  }

  #writeLoose({ documents, audit }: Pick<LooseChange, 'documents' | 'audit'>): void {
    this.#documents.apply(documents);
    for (const row of audit) this.#audit.push(Object.freeze({ ...row, id: this.#audit.length + 1 }));
  }

  #alive(): readonly NodeRow[] {
    const now = this.#now();
    return [...this.#nodes.values()].filter((row) => row.aliveUntil > now).sort((a, b) => order(a.node, b.node));
  }

  #now(): EpochMs {
    this.#timeHighWater = Math.max(this.#timeHighWater, Math.floor(this.#clock()));
    return epochMs(this.#timeHighWater);
  }

  #assertOpen(): void {
    if (this.#closed) throw new AmendsError('store_unavailable', 'the store is closed');
  }
}

function refusalOfSeqs(entry: Entry, change: Change): string | null {
  if (entry.row.version !== change.expectedVersion) return null;
  const last = entry.history.at(-1)?.seq ?? 0;
  return change.history.some((added) => added.seq <= last) ? `history: seq ${last} and those before it are taken` : null;
}

function matches(row: TransactionRow, query: ListQuery): boolean {
  const { status, mode, held, createdFrom, createdBefore, after } = query;
  return (
    (status === undefined || row.status === status) &&
    (mode === undefined || row.mode === mode) &&
    (held === undefined || (row.hold !== null) === held) &&
    (createdFrom === undefined || row.createdAt >= createdFrom) &&
    (createdBefore === undefined || row.createdAt < createdBefore) &&
    (after === undefined || row.createdAt < after.createdAt || (row.createdAt === after.createdAt && row.gid < after.gid))
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
