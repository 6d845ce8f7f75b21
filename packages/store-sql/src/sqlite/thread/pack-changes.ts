/**
 * A batch of changes as one flat array, the cheapest thing to hand to another thread. Per change: the header, then the
 * columns of `tx` unless the change is loose, of `spec` if there is one, and each row of history, records, documents and audit.
 */
import type { AnyChange, Change, LooseChange } from '@amends/store';
import { pushAudit, pushHistory, pushRecord, pushSpec, pushTx, type SqlValue } from '../../columns.ts';

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

/** In place of the expected version: the change is loose, no columns of `tx` follow. */
export const loose = -1;

/** How many values one row of each part has, `gid` not repeated. */
export const widths = { tx: 16, spec: 5, history: 13, record: 4, document: 4, audit: 6 } as const;

/** A batch that is packed, and what could not be. */
export interface PackedChanges {
  readonly values: readonly SqlValue[];
  /** Why, by the index of the change in the batch; such a change left nothing in `values`. */
  readonly refusals: ReadonlyMap<number, string>;
}

/** Packs a batch. A change with a value that no column holds is refused alone. */
export function packChanges(changes: readonly AnyChange[]): PackedChanges {
  const values: SqlValue[] = [];
  const refusals = new Map<number, string>();
  changes.forEach((change, index) => {
    const start = values.length;
    try {
      pack(values, change);
      for (let at = start; at < values.length; at += 1) assertHeld(values[at]);
    } catch (error) {
      values.length = start;
      refusals.set(index, (error as Error).message);
    }
  });
  return { values, refusals };
}

/** Also what the types exclude: a value that cannot go to another thread would fail the whole batch. */
function assertHeld(value: unknown): void {
  if (typeof value === 'string' || typeof value === 'number' || value === null || value instanceof Uint8Array) return;
  throw new TypeError(`a value of type ${typeof value} cannot be stored`);
}

function pack(values: SqlValue[], change: AnyChange): void {
  const start = values.length;
  if (change.row === null) values.push(0, loose, 0, 0, 0, change.documents.length, change.audit.length);
  else packTransaction(values, change);
  packBeside(values, change);
  values[start + header.length] = values.length - start;
}

function packTransaction(values: SqlValue[], change: Change): void {
  const { expectedVersion, row, spec, history, records, documents, audit } = change;
  values.push(0, expectedVersion, spec === null ? 0 : 1, history.length, records.length, documents.length, audit.length);
  pushTx(values, row);
  if (spec !== null) pushSpec(values, spec);
  for (const entry of history) pushHistory(values, entry);
  for (const record of records) pushRecord(values, record);
}

function packBeside(values: SqlValue[], { documents, audit }: Pick<LooseChange, 'documents' | 'audit'>): void {
  for (const document of documents) values.push(document.kind, document.key, document.expectedVersion, document.content);
  for (const row of audit) pushAudit(values, row);
}
