/** One transaction as the memory store keeps it: copies that nobody outside can change. */
import type { HistoryEntry, StoredRecord, StoredSpec, TransactionRow } from '@amends/core';
import type { Change, StoredTransaction } from './store.ts';

/** Everything under one gid. */
export interface Entry {
  row: TransactionRow;
  readonly spec: StoredSpec;
  readonly records: Map<string, StoredRecord>;
  readonly history: HistoryEntry[];
}

/** A fresh entry; `extend` gives it its first change. */
export function makeEntry(row: TransactionRow, spec: StoredSpec): Entry {
  return { row, spec: copyOfSpec(spec), records: new Map(), history: [] };
}

/** Whether one of the records is there already, or comes twice. */
export function holdsAny(entry: Entry | undefined, records: readonly StoredRecord[]): boolean {
  const names = new Set(records.map(nameOf));
  return names.size < records.length || records.some((record) => entry?.records.has(nameOf(record)));
}

/** Adds what a change brings to the entry. */
export function extend(entry: Entry, change: Change): void {
  entry.row = Object.freeze({ ...change.row });
  for (const record of change.records) entry.records.set(nameOf(record), copyOfRecord(record));
  for (const row of change.history) entry.history.push(Object.freeze({ ...row }));
}

/** The transaction as handed out; its bytes are the reader's own. */
export function copyOut(entry: Entry): StoredTransaction {
  const names = [...entry.records.keys()].sort();
  return {
    row: entry.row,
    spec: copyOfSpec(entry.spec),
    records: names.map((name) => copyOfRecord(entry.records.get(name)!)),
  };
}

function nameOf(record: StoredRecord): string {
  return JSON.stringify([record.kind, record.key]);
}

function copyOfSpec(spec: StoredSpec): StoredSpec {
  return { ...spec, payloads: new Uint8Array(spec.payloads) };
}

function copyOfRecord(record: StoredRecord): StoredRecord {
  return { ...record, content: new Uint8Array(record.content) };
}
