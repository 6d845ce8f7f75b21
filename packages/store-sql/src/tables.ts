/**
 * The tables, once for every database: each column in a fixed order, with its type and the property that it holds. Statements,
 * packed rows and rows as read all go by this order.
 */
import { type HistoryEntry, nodeId, type StoredRecord, type StoredSpec, type TransactionRow } from '@amends/core';
import type { AuditRow, NodeRow, StoredAuditRow, StoredDocument } from '@amends/store';
import { decodeHistory, encodeHistory } from './history-code.ts';
import { recordDigest } from './record-digest.ts';

/** What a column holds. */
export type SqlValue = string | number | null | Uint8Array;

/** One row, or a run of its columns, in their order. */
export type SqlRow = readonly SqlValue[];

/** A column: its name and its type. */
type Column = `${string} ${'integer' | 'text' | 'bytes'}`;

/** What statements are made of. */
export interface NamedColumns {
  readonly names: readonly string[];
  /** The type of each. */
  readonly types: readonly string[];
}

/** A run of columns that are written and read together. */
export interface Columns<Row> extends NamedColumns {
  /** Appends the values of a row. */
  push(values: SqlValue[], row: Row): void;
  /** @param at where the run begins in a row as read */
  read(row: SqlRow, at?: number): Row;
}

/** Every property of the row has its column. */
function define<Row>(columns: { readonly [Property in keyof Row]-?: Column }): Columns<Row> {
  const properties = Object.keys(columns) as (keyof Row & string)[];
  const texts = properties.map((property) => columns[property].split(' '));
  return {
    names: texts.map(([name]) => name!),
    types: texts.map(([, type]) => type!),
    push(values, row) {
      for (const property of properties) values.push(row[property] as SqlValue);
    },
    read: (row, at = 0) => Object.fromEntries(properties.map((property, index) => [property, ownBytes(row[at + index]!)])) as Row,
  };
}

/** Bytes as a plain array of their own, whatever view the driver gave. */
function ownBytes(value: SqlValue): SqlValue {
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

/** Columns of `tx` that only the first commit writes. */
export const txOnce = define<Pick<TransactionRow, 'gid' | 'mode' | 'createdAt'>>({
  gid: 'gid text',
  mode: 'mode text',
  createdAt: 'created_at integer',
});

/** Columns of `tx` that stay as they are in the middle of most transactions: each has its part in an index. */
export const txIndexed = define<Pick<TransactionRow, 'finishedAt' | 'status' | 'hold' | 'dueAt' | 'owner'>>({
  finishedAt: 'finished_at integer',
  status: 'status text',
  hold: 'hold text',
  dueAt: 'due_at integer',
  owner: 'owner text',
});

/** Columns of `tx` that every commit writes. */
export const txAlways = define<
  Omit<TransactionRow, 'gid' | 'mode' | 'createdAt' | 'finishedAt' | 'status' | 'hold' | 'dueAt' | 'owner'>
>({
  epoch: 'epoch integer',
  updatedAt: 'updated_at integer',
  waitsFor: 'waits_for text',
  errorPrint: 'error_print text',
  reason: 'reason text',
  format: 'format integer',
  state: 'state text',
  version: 'version integer',
});

/** All columns of `tx` but its `id`, which the database gives it and which only the tables beside it know, as `tx_id`. */
export const txNames: readonly string[] = [...txOnce.names, ...txIndexed.names, ...txAlways.names];

/** A row of `tx`. */
export function readTx(row: SqlRow, at = 0): TransactionRow {
  const indexed = at + txOnce.names.length;
  return { ...txOnce.read(row, at), ...txIndexed.read(row, indexed), ...txAlways.read(row, indexed + txIndexed.names.length) };
}

/** Columns of `spec` after `tx_id`. */
export const specColumns = define<StoredSpec>({
  format: 'format integer',
  plan: 'plan text',
  presentation: 'presentation text',
  payloads: 'payloads bytes',
  digest: 'digest text',
});

/** What one commit adds to the history. */
interface HistoryPart {
  /** The seq of its last entry. */
  readonly seq: number;
  readonly entries: string;
}

/** Columns of `history` after `tx_id`. */
export const historyColumns = define<HistoryPart>({ seq: 'seq integer', entries: 'entries text' });

/**
 * Appends the row of `history` for the entries of one commit.
 * @throws RangeError when their seqs do not ascend from 1
 */
export function pushHistory(values: SqlValue[], entries: readonly HistoryEntry[]): void {
  let last = 0;
  for (const { seq } of entries) {
    if (!(seq > last)) throw new RangeError(`history: seq ${seq} must be more than ${last}`);
    last = seq;
  }
  values.push(last, encodeHistory(entries));
}

/** The entries of a row of `history`. @throws AmendsError `store_refused` */
export function readHistory(row: SqlRow, at = 0): readonly HistoryEntry[] {
  return decodeHistory(historyColumns.read(row, at).entries);
}

/** A record with what tells whether it is as it was written; null: it is older than digests. */
interface DigestedRecord extends StoredRecord {
  readonly digest: string | null;
}

/** Columns of `record` after `tx_id`. */
export const recordColumns = define<DigestedRecord>({
  kind: 'kind text',
  key: 'key text',
  content: 'content bytes',
  digest: 'digest text',
});

/** Appends a row of `record`. */
export function pushRecord(values: SqlValue[], record: StoredRecord): void {
  values.push(record.kind, record.key, record.content, recordDigest(record));
}

/** A row of `record`; null: it is not what was written. */
export function readRecord(row: SqlRow, at = 0): StoredRecord | null {
  const { digest, ...record } = recordColumns.read(row, at);
  return digest === null || digest === recordDigest(record) ? record : null;
}

/** Columns of `audit` after its `id`, which the database gives. */
export const auditColumns = define<AuditRow>({
  at: 'at integer',
  gid: 'gid text',
  actor: 'actor text',
  verb: 'verb text',
  reason: 'reason text',
  detail: 'detail text',
});

/** A row of `audit`, its id in front. */
export function readAudit(row: SqlRow): StoredAuditRow {
  return { id: row[0] as number, ...auditColumns.read(row, 1) };
}

/** Documents have no id: kind and key name them. */
export const documentColumns = define<StoredDocument>({
  kind: 'kind text',
  key: 'key text',
  version: 'version integer',
  content: 'content text',
});

/** One row for each node that has lately had a heartbeat. */
export const nodeColumns = define<NodeRow>({
  node: 'node text',
  name: 'name text',
  startedAt: 'started_at integer',
  aliveUntil: 'alive_until integer',
});

/** A row of `node`. */
export function readNode(row: SqlRow): NodeRow {
  const read = nodeColumns.read(row);
  return { ...read, node: nodeId(read.node) };
}
