/**
 * A batch of changes as one flat array, the cheapest thing to hand to another thread. Per change: the header, then the
 * columns of `tx`, `spec` if there is one, and each row of history, records, documents and audit.
 */
import type { Change } from '@amends/store';
import { pushAudit, pushHistory, pushSpec, pushTx, type SqlValue } from '../columns.ts';

/** Positions within the header of a change. */
export const header = {
  length: 0,
  expectedVersion: 1,
  specs: 2,
  history: 3,
  records: 4,
  documents: 5,
  audit: 6,
  size: 7,
} as const;

/** How many values one row of each part has, `gid` not repeated. */
export const widths = { tx: 16, spec: 5, history: 13, record: 3, document: 4, audit: 6 } as const;

/** Packs a batch. */
export function packChanges(changes: readonly Change[]): SqlValue[] {
  const values: SqlValue[] = [];
  for (const change of changes) pack(values, change);
  return values;
}

function pack(values: SqlValue[], change: Change): void {
  const { spec, history, records, documents, audit } = change;
  const start = values.length;
  values.push(0, change.expectedVersion, spec === null ? 0 : 1, history.length, records.length, documents.length, audit.length);
  pushTx(values, change.row);
  if (spec !== null) pushSpec(values, spec);
  for (const entry of history) pushHistory(values, entry);
  for (const record of records) values.push(record.kind, record.key, record.content);
  for (const document of documents) values.push(document.kind, document.key, document.expectedVersion, document.content);
  for (const row of audit) pushAudit(values, row);
  values[start + header.length] = values.length - start;
}
