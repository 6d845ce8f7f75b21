/**
 * A batch of changes on its way to another thread: one flat list of values, which costs least to hand over. For each change the
 * expected version and the number of rows of each kind, then these rows, each in the order of its columns.
 */
import type { AnyChange, Change, LooseChange } from '@amends/store';
import {
  auditColumns,
  historyColumns,
  type NamedColumns,
  pushHistory,
  pushRecord,
  recordColumns,
  type SqlRow,
  type SqlValue,
  specColumns,
  txAlways,
  txIndexed,
  txOnce,
} from '../../tables.ts';

/** One change as statements take it. */
export interface UnpackedChange {
  readonly expectedVersion: number;
  /** The row in its three runs of columns; null: the change is loose. */
  readonly tx: { readonly once: SqlRow; readonly indexed: SqlRow; readonly always: SqlRow } | null;
  readonly specs: readonly SqlRow[];
  readonly history: readonly SqlRow[];
  readonly records: readonly SqlRow[];
  /** Each with its kind, key, expected version and content. */
  readonly documents: readonly SqlRow[];
  readonly audit: readonly SqlRow[];
}

/** A batch that is packed, and what could not be. */
export interface PackedBatch {
  readonly values: readonly SqlValue[];
  /** Why, by the index of the change in the batch; such a change left nothing in `values`. */
  readonly refusals: ReadonlyMap<number, string>;
}

/** In place of the expected version of a loose change. */
const loose = -1;

/** What a change of a document says. */
const documentValues: NamedColumns = {
  names: ['kind', 'key', 'expected_version', 'content'],
  types: ['text', 'text', 'integer', 'text'],
};

/**
 * Packs a batch. A change that cannot be packed is refused alone.
 * @param examine throws when values of a change are not as they must be; by default nothing is examined
 */
export function packChanges(batch: readonly AnyChange[], examine?: (values: readonly SqlValue[]) => void): PackedBatch {
  const values: SqlValue[] = [];
  const refusals = new Map<number, string>();
  batch.forEach((change, index) => {
    const start = values.length;
    try {
      if (change.row === null) values.push(loose, 0, 0, 0, change.documents.length, change.audit.length);
      else packTransaction(values, change);
      packLoose(values, change);
      examine?.(values.slice(start));
    } catch (error) {
      values.length = start;
      refusals.set(index, (error as Error).message);
    }
  });
  return { values, refusals };
}

function packTransaction(values: SqlValue[], change: Change): void {
  const { expectedVersion, row, spec, history, records, documents, audit } = change;
  check(change);
  values.push(expectedVersion, spec === null ? 0 : 1, history.length === 0 ? 0 : 1);
  values.push(records.length, documents.length, audit.length);
  txOnce.push(values, row);
  txIndexed.push(values, row);
  txAlways.push(values, row);
  if (spec !== null) specColumns.push(values, spec);
  if (history.length > 0) pushHistory(values, history);
  for (const record of records) pushRecord(values, record);
}

/** What no constraint can see. */
function check({ expectedVersion, row, spec }: Change): void {
  if (row.version !== expectedVersion + 1) throw new RangeError(`version: is ${row.version}, must be ${expectedVersion + 1}`);
  if ((spec !== null) !== (expectedVersion === 0))
    throw new RangeError('spec: comes with the first change of a gid and only then');
}

function packLoose(values: SqlValue[], { documents, audit }: Pick<LooseChange, 'documents' | 'audit'>): void {
  for (const { kind, key, expectedVersion, content } of documents) values.push(kind, key, expectedVersion, content);
  for (const row of audit) auditColumns.push(values, row);
}

/** The changes of a batch again. */
export function unpackChanges(values: readonly SqlValue[]): readonly UnpackedChange[] {
  const changes: UnpackedChange[] = [];
  let at = 0;
  const count = () => values[at++] as number;
  const take = ({ names }: NamedColumns) => {
    at += names.length;
    return values.slice(at - names.length, at);
  };
  const rows = (columns: NamedColumns, length: number) => Array.from({ length }, () => take(columns));
  while (at < values.length) {
    const expectedVersion = count();
    const [specs, history, records, documents, audit] = [count(), count(), count(), count(), count()];
    changes.push({
      expectedVersion,
      tx: expectedVersion === loose ? null : { once: take(txOnce), indexed: take(txIndexed), always: take(txAlways) },
      specs: rows(specColumns, specs),
      history: rows(historyColumns, history),
      records: rows(recordColumns, records),
      documents: rows(documentValues, documents),
      audit: rows(auditColumns, audit),
    });
  }
  return changes;
}
