/**
 * Tables as the code sees them: the columns of each in one fixed order, and the way between values of the port and
 * flat rows in that order. The same for every database.
 */
import {
  type EpochMs,
  type Gid,
  type HistoryEntry,
  nodeId,
  type StoredRecord,
  type StoredSpec,
  type TransactionRow,
} from '@amends/core';
import type { AuditRow, NodeRow, StoredAuditRow, StoredDocument } from '@amends/store';
import { recordDigest } from './record-digest.ts';

/**
 * What belongs to a transaction refers to `tx.id`, which the database gives it, by a column `tx_id`; the code knows gids
 * only, so here the columns of such tables begin after it, and rows as read begin with the gid.
 */
export const specColumns = ['format', 'plan', 'presentation', 'payloads', 'digest'] as const;

/** What a column holds. */
export type SqlValue = string | number | null | Uint8Array;

/** One row, in the order of the columns. */
export type SqlRow = readonly SqlValue[];

/**
 * Columns of `tx`, ordered so that the parameters of each statement are one run of it: first what an insert alone
 * writes, then what a full update writes, last what a steady update writes (see `statements.ts`).
 */
export const txColumns = [
  ['gid', 'mode', 'created_at'],
  ['finished_at', 'status', 'hold', 'due_at', 'owner'],
  ['epoch', 'updated_at', 'waits_for', 'error_print', 'reason', 'format', 'state', 'version'],
] as const;

/** Columns of `history` after `tx_id`. */
export const historyColumns = [
  'seq',
  'at',
  'kind',
  'status',
  'branch_id',
  'op',
  'attempt',
  'outcome',
  'code',
  'duration_ms',
  'detail',
  'actor',
  'trace_id',
] as const;

/** Columns of `record` after `tx_id`. */
export const recordColumns = ['kind', 'key', 'content', 'digest'] as const;

/** Columns of `audit` after the id, which the database gives. */
export const auditColumns = ['at', 'gid', 'actor', 'verb', 'reason', 'detail'] as const;

/** Appends the columns of `tx`. */
export function pushTx(values: SqlValue[], row: TransactionRow): void {
  values.push(row.gid, row.mode, row.createdAt, row.finishedAt, row.status, row.hold, row.dueAt, row.owner);
  values.push(row.epoch, row.updatedAt, row.waitsFor, row.errorPrint, row.reason, row.format, row.state, row.version);
}

/** A row of `tx`. */
export function readTx(row: SqlRow): TransactionRow {
  return {
    gid: row[0] as Gid,
    mode: row[1] as TransactionRow['mode'],
    createdAt: row[2] as EpochMs,
    finishedAt: row[3] as EpochMs | null,
    status: row[4] as TransactionRow['status'],
    hold: row[5] as string | null,
    dueAt: row[6] as EpochMs | null,
    owner: row[7] as TransactionRow['owner'],
    epoch: row[8] as number,
    updatedAt: row[9] as EpochMs,
    waitsFor: row[10] as string,
    errorPrint: row[11] as string,
    reason: row[12] as string,
    format: row[13] as number,
    state: row[14] as string,
    version: row[15] as number,
  };
}

/** Appends the columns of `spec` after `tx_id`. */
export function pushSpec(values: SqlValue[], spec: StoredSpec): void {
  values.push(spec.format, spec.plan, spec.presentation, spec.payloads, spec.digest);
}

/** A row of `spec`, its gid in front. */
export function readSpec(row: SqlRow): StoredSpec {
  return {
    format: row[1] as number,
    plan: row[2] as string,
    presentation: row[3] as string,
    payloads: bytes(row[4]),
    digest: row[5] as string,
  };
}

/** Appends the columns of `history` after `tx_id`. */
export function pushHistory(values: SqlValue[], entry: HistoryEntry): void {
  values.push(entry.seq, entry.at, entry.kind, entry.status, entry.branchId, entry.op, entry.attempt, entry.outcome);
  values.push(entry.code, entry.durationMs, entry.detail, entry.actor, entry.traceId);
}

/** A row of `history`, its gid in front. */
export function readHistory(row: SqlRow): HistoryEntry {
  return {
    seq: row[1] as number,
    at: row[2] as EpochMs,
    kind: row[3] as HistoryEntry['kind'],
    status: row[4] as HistoryEntry['status'],
    branchId: row[5] as HistoryEntry['branchId'],
    op: row[6] as HistoryEntry['op'],
    attempt: row[7] as number | null,
    outcome: row[8] as HistoryEntry['outcome'],
    code: row[9] as string | null,
    durationMs: row[10] as number | null,
    detail: row[11] as string | null,
    actor: row[12] as string | null,
    traceId: row[13] as string | null,
  };
}

/** Appends the columns of `record` after `tx_id`. */
export function pushRecord(values: SqlValue[], record: StoredRecord): void {
  const { kind, key, content } = record;
  values.push(kind, key, content, content instanceof Uint8Array ? recordDigest(record) : null);
}

/** A row of `record`, its gid in front; null: it is not what was written. What was written before there were digests has none. */
export function readRecord(row: SqlRow): StoredRecord | null {
  const record = { kind: row[1] as string, key: row[2] as string, content: bytes(row[3]) };
  return row[4] === null || row[4] === recordDigest(record) ? record : null;
}

/** Appends the columns of `audit`; the database numbers it. */
export function pushAudit(values: SqlValue[], row: AuditRow): void {
  values.push(row.at, row.gid, row.actor, row.verb, row.reason, row.detail);
}

/** A row of `audit` with its id in front. */
export function readAudit(row: SqlRow): StoredAuditRow {
  return {
    id: row[0] as number,
    at: row[1] as EpochMs,
    gid: row[2] as Gid | '',
    actor: row[3] as string,
    verb: row[4] as string,
    reason: row[5] as string,
    detail: row[6] as string,
  };
}

/** A row of `document`. */
export function readDocument(row: SqlRow): StoredDocument {
  return { kind: row[0] as string, key: row[1] as string, version: row[2] as number, content: row[3] as string };
}

/** A row of `node`. */
export function readNode(row: SqlRow): NodeRow {
  return {
    node: nodeId(row[0] as string),
    name: row[1] as string,
    startedAt: row[2] as EpochMs,
    aliveUntil: row[3] as EpochMs,
  };
}

/** Bytes as a plain array of their own, whatever view the driver gave. */
function bytes(value: SqlValue | undefined): Uint8Array {
  return new Uint8Array(value as Uint8Array);
}
