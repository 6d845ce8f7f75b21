/** The Store port on a SQL database: one implementation for all of them. */
import { epochMs, type Gid, isAmendsError, type NodeId, specFormat, stateFormat } from '@amends/core';
import {
  type ListPage,
  type ListQuery,
  type Store,
  type StoreCapabilities,
  type StoredTransaction,
  unreadSpec,
} from '@amends/store';
import type { Dialect } from './dialect.ts';
import { listQuery } from './list-query.ts';
import { purgeQuery } from './purge-query.ts';
import type { SqlQuery, SqlSession } from './sql-session.ts';
import { auditQuery, makeStatements } from './statements.ts';
import {
  documentColumns,
  readAudit,
  readHistory,
  readNode,
  readRecord,
  readTx,
  type SqlRow,
  type SqlValue,
  specColumns,
} from './tables.ts';

/** Makes a store of an open session. */
export function createSqlStore(session: SqlSession, dialect: Dialect, capabilities: StoreCapabilities): Store {
  return new SqlStore(session, dialect, capabilities);
}

class SqlStore implements Store {
  readonly capabilities: StoreCapabilities;
  readonly #session: SqlSession;
  readonly #dialect: Dialect;
  readonly #sql: ReturnType<typeof makeStatements>;
  #closing: Promise<void> | null = null;

  constructor(session: SqlSession, dialect: Dialect, capabilities: StoreCapabilities) {
    this.capabilities = capabilities;
    this.#session = session;
    this.#dialect = dialect;
    this.#sql = makeStatements(dialect);
  }

  commit: Store['commit'] = (changes) => this.#session.commit(changes);

  async load(gids: readonly Gid[]): Promise<readonly (StoredTransaction | null)[]> {
    const found = await this.#find(gids);
    return gids.map((gid) => found.get(gid) ?? null);
  }

  /** What is damaged beside one transaction is left out for that one alone. */
  async #find(gids: readonly Gid[]): Promise<ReadonlyMap<Gid, StoredTransaction>> {
    const list = this.#dialect.gidList(gids);
    try {
      return join(await this.#session.read([query(this.#sql.txs, list), ...this.#beside(list)]));
    } catch (error) {
      if (!isAmendsError(error, 'store_refused')) throw error;
      if (gids.length === 1) return join(await this.#session.read([query(this.#sql.txs, list)]));
    }
    const found = new Map<Gid, StoredTransaction>();
    for (const gid of gids) for (const one of (await this.#find([gid])).values()) found.set(gid, one);
    return found;
  }

  #beside(list: string): readonly SqlQuery[] {
    return [query(this.#sql.specs, list), query(this.#sql.records, list)];
  }

  claim: Store['claim'] = async ({ node, dueBefore, limit, driven }) => {
    const now = await this.#session.time();
    const own = [driven === undefined ? null : node, this.#dialect.gidList(driven ?? [])];
    const wanted = { node, limit, due: [dueBefore, stateFormat, node, now, ...own] };
    try {
      const gids = await this.#candidates(this.#sql.claimable, wanted, [specFormat]);
      return await this.#claimTogether(wanted, gids);
    } catch (error) {
      if (!isAmendsError(error, 'store_refused')) throw error;
      return this.#claimOneByOne(wanted);
    }
  };

  async #candidates(sql: string, { due, limit }: Wanted, format: readonly SqlValue[]): Promise<readonly Gid[]> {
    const [rows = []] = await this.#session.read([query(sql, ...due, ...format, limit)]);
    return rows.map((row) => row[0] as Gid);
  }

  async #claimTogether({ node, due }: Wanted, gids: readonly Gid[]): Promise<readonly StoredTransaction[]> {
    if (gids.length === 0) return [];
    const list = this.#dialect.gidList(gids);
    const claimed = await this.#take(query(this.#sql.claim, node, list, ...due, specFormat), list);
    return gids.map((gid) => claimed.get(gid)).filter((one) => one !== undefined);
  }

  /** A page of specs is damaged: whose spec lies there is claimed all the same, and found to be unreadable. */
  async #claimOneByOne(wanted: Wanted): Promise<readonly StoredTransaction[]> {
    const claimed: StoredTransaction[] = [];
    for (const gid of await this.#candidates(this.#sql.claimableUnseen, wanted, []))
      claimed.push(
        ...(await this.#claimTogether(wanted, [gid]).catch((error: unknown) => this.#claimUnseen(wanted, gid, error))),
      );
    return claimed;
  }

  async #claimUnseen({ node, due }: Wanted, gid: Gid, error: unknown): Promise<readonly StoredTransaction[]> {
    if (!isAmendsError(error, 'store_refused')) throw error;
    const list = this.#dialect.gidList([gid]);
    return [...(await this.#take(query(this.#sql.claimUnseen, node, list, ...due), list)).values()];
  }

  /** Where something beside one of them is damaged, they are taken first, and then read one by one. */
  async #take(claim: SqlQuery, list: string): Promise<ReadonlyMap<Gid, StoredTransaction>> {
    try {
      return join(await this.#session.write([claim, ...this.#beside(list)]));
    } catch (error) {
      if (!isAmendsError(error, 'store_refused')) throw error;
    }
    const [taken = []] = await this.#session.write([claim]);
    return taken.length === 0 ? new Map() : this.#find(taken.map((row) => readTx(row).gid));
  }

  async list(asked: ListQuery): Promise<ListPage> {
    const [found = []] = await this.#session.look([listQuery(asked)]);
    const rows = found.slice(0, asked.limit).map((row) => readTx(row));
    const last = rows.at(-1);
    const next = last !== undefined && found.length > rows.length ? { createdAt: last.createdAt, gid: last.gid } : null;
    return { rows, next };
  }

  history: Store['history'] = async (gid, { afterSeq, limit }) => {
    const [rows = []] = await this.#session.look([query(this.#sql.history, gid, afterSeq, limit)]);
    return rows
      .flatMap((row) => readHistory(row))
      .filter(({ seq }) => seq > afterSeq)
      .slice(0, limit);
  };

  heartbeat: Store['heartbeat'] = async ({ node, ttlMs, name }) => {
    const now = await this.#session.time();
    await this.#session.write([
      query(this.#sql.markTime, now, now),
      query(this.#sql.beat, node, name, now, epochMs(now + ttlMs)),
      query(this.#sql.forgetDeadNodes, now - deadNodesKeptMs),
    ]);
    return now;
  };

  nodes: Store['nodes'] = async () => {
    const [rows = []] = await this.#session.read([query(this.#sql.nodes, await this.#session.time())]);
    return rows.map(readNode);
  };

  documents: Store['documents'] = async (kind, key) => {
    const { documents, document } = this.#sql;
    const [rows = []] =
      key === undefined
        ? await this.#session.look([query(documents, kind)])
        : await this.#session.read([query(document, kind, key)]);
    return rows.map((row) => documentColumns.read(row));
  };

  audit: Store['audit'] = async (asked) => {
    const [rows = []] = await this.#session.look([auditQuery(asked)]);
    return rows.map(readAudit);
  };

  purge: Store['purge'] = async (request) => {
    const [found = []] = await this.#session.look([purgeQuery(request)]);
    const count = found.length === 0 ? 0 : await this.#remove(found.map((row) => row[0] as Gid));
    const moreSpace = await this.#session.giveBack();
    return { count, more: (count > 0 && found.length === request.limit) || moreSpace };
  };

  /** One beside which something is damaged stays, and keeps no other. @returns how many are gone */
  async #remove(gids: readonly Gid[]): Promise<number> {
    try {
      return await this.#removeTogether(gids);
    } catch (error) {
      if (!isAmendsError(error, 'store_refused')) throw error;
    }
    let count = 0;
    if (gids.length > 1) for (const gid of gids) count += await this.#remove([gid]);
    return count;
  }

  async #removeTogether(gids: readonly Gid[]): Promise<number> {
    const list = this.#dialect.gidList(gids);
    const { purgeSpecs, purgeRecords, purgeHistory, purgeTxs } = this.#sql;
    // The history goes first and in portions, so that no commit waits for all of a long one.
    for (let gone = historyRowsAtOnce; gone === historyRowsAtOnce; ) {
      const [rows = []] = await this.#session.write([query(purgeHistory, list, historyRowsAtOnce)]);
      gone = rows.length;
    }
    const rows = await this.#session.write([purgeSpecs, purgeRecords, purgeTxs].map((sql) => query(sql, list)));
    return rows.at(-1)!.length;
  }

  ping: Store['ping'] = async () => {
    const began = performance.now();
    const now = await this.#session.time();
    await this.#session.write([query(this.#sql.markTime, now, now)]);
    const latencyMs = performance.now() - began;
    return { latencyMs, facts: await this.#session.facts() };
  };

  close: Store['close'] = () => {
    this.#closing ??= this.#end();
    return this.#closing;
  };

  async #end(): Promise<void> {
    const now = await this.#session.time();
    // A database that cannot be written at the end keeps the mark of the last heartbeat.
    await this.#session.write([query(this.#sql.markTime, now, now)]).catch(() => undefined);
    await this.#session.close();
  }
}

/** So many rows of history are deleted by one transaction of the database: some milliseconds. */
const historyRowsAtOnce = 1_000;

/** Who claims, how many at most, and what: parameters of the condition but for the format of specs. */
interface Wanted {
  readonly node: NodeId;
  readonly limit: number;
  readonly due: readonly SqlValue[];
}

/** Rows of nodes that died longer ago than this are removed; until then they help people to understand. Milliseconds. */
const deadNodesKeptMs = 3_600_000;

function query(sql: string, ...parameters: SqlValue[]): SqlQuery {
  return { sql, parameters };
}

/** Of rows of `tx`, and of what lies beside them. */
function join([txs = [], specs = [], records = []]: readonly (readonly SqlRow[])[]): ReadonlyMap<Gid, StoredTransaction> {
  const specByGid = new Map(specs.map((row) => [row[0] as Gid, specColumns.read(row, 1)]));
  const recordsByGid = Map.groupBy(records, (row) => row[0] as Gid);
  const together = (row: SqlRow): [Gid, StoredTransaction] => {
    const tx = readTx(row);
    const read = (recordsByGid.get(tx.gid) ?? []).map((row) => readRecord(row, 1));
    const whole = read.filter((record) => record !== null);
    const spec = whole.length < read.length ? undefined : specByGid.get(tx.gid);
    return [tx.gid, spec === undefined ? { row: tx, spec: unreadSpec, records: [] } : { row: tx, spec, records: whole }];
  };
  return new Map(txs.map(together));
}
