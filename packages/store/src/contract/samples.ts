/** Sample rows and changes, valid unless a test says otherwise. */
import { type EpochMs, epochMs, type Gid, type HistoryEntry, nodeId, type StoredSpec, type TransactionRow } from '@amends/core';
import type { AuditRow, Change, LooseChange } from '../store.ts';

/** A moment in the life of the samples. */
export const sampleTime: EpochMs = epochMs(Date.UTC(2026, 10, 24));

/** A node that owns the samples unless told otherwise; it has never had a heartbeat. */
export const sampleNode = nodeId('node-of-samples');

/** A text as a gid, unchecked. */
export function gidOf(text: string): Gid {
  return text as Gid;
}

/** The row of a saga's first commit. */
export function sampleRow(gid: Gid, fields: Partial<TransactionRow> = {}): TransactionRow {
  return {
    gid,
    mode: 'saga',
    status: 'submitted',
    hold: null,
    dueAt: sampleTime,
    owner: sampleNode,
    epoch: 1,
    version: 1,
    createdAt: sampleTime,
    updatedAt: sampleTime,
    finishedAt: null,
    waitsFor: '',
    errorPrint: '',
    reason: '',
    format: 1,
    state: '[1,0,0,[0]]',
    ...fields,
  };
}

/** A spec that no core would write, but every store must keep byte for byte. */
export function sampleSpec(fields: Partial<StoredSpec> = {}): StoredSpec {
  const payloads = Uint8Array.from([0, 1, 0, 255, 0]);
  return { format: 1, plan: '{"steps":[]}', presentation: '{}', payloads, digest: '0'.repeat(64), ...fields };
}

/** One history row with every field filled. */
export function sampleHistory(seq: number, fields: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    seq,
    at: epochMs(sampleTime + seq),
    kind: 'answered',
    status: 'submitted',
    branchId: '01' as HistoryEntry['branchId'],
    op: 'action',
    attempt: 1,
    outcome: 'success',
    code: 'http_200',
    durationMs: 12,
    detail: 'SUCCESS',
    actor: null,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    ...fields,
  };
}

/** One audit row. */
export function sampleAudit(gid: AuditRow['gid'], fields: Partial<AuditRow> = {}): AuditRow {
  return { at: sampleTime, gid, actor: 'ada', verb: 'retry', reason: 'bank is back', detail: '{}', ...fields };
}

/** The first change of a transaction. */
export function firstChange(gid: Gid, row: Partial<TransactionRow> = {}, fields: Partial<Change> = {}): Change {
  return {
    expectedVersion: 0,
    row: sampleRow(gid, row),
    spec: sampleSpec(),
    history: [sampleHistory(1)],
    records: [],
    documents: [],
    audit: [],
    ...fields,
  };
}

/** The change that follows on a row as stored. */
export function nextChange(before: TransactionRow, row: Partial<TransactionRow> = {}, fields: Partial<Change> = {}): Change {
  const version = before.version + 1;
  return {
    expectedVersion: before.version,
    row: { ...before, version, updatedAt: epochMs(before.updatedAt + 1), ...row },
    spec: null,
    history: [sampleHistory(version)],
    records: [],
    documents: [],
    audit: [],
    ...fields,
  };
}

/** A change of documents and audit rows that belongs to no transaction. */
export function looseChange(fields: Partial<Omit<LooseChange, 'row'>>): LooseChange {
  return { row: null, documents: [], audit: [], ...fields };
}

/** The columns of a transaction that ended well. */
export function finished(at: EpochMs): Partial<TransactionRow> {
  return { status: 'succeed', dueAt: null, owner: null, updatedAt: at, finishedAt: at };
}
