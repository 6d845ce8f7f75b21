/**
 * Applies a packed batch in one database transaction, row by row with prepared statements.
 *
 * A change whose first statement, on `tx`, changes no row has lost its compare-and-swap, and nothing else of it is
 * written. A loose change has no such statement. Only changes with records or documents can lose later; they run inside a
 * savepoint. When a value is refused the whole batch is rolled back and done again with a savepoint around every change, so that
 * the bad one stands alone.
 */
import { commitStatements } from '../../statements.ts';
import { type SqlRow, type SqlValue, txIndexed } from '../../tables.ts';
import type { SqliteDatabase } from '../file/sqlite-database.ts';
import { sqliteFault } from '../file/sqlite-errors.ts';
import { type UnpackedChange, unpackChanges } from './pack-changes.ts';
import type { Transact } from './transaction.ts';

/** Per change: applied, conflict, or the message of its refusal. `null`: all applied; `unknown`: all or none of them. */
export type PackedAnswers = readonly (typeof applied | typeof conflict | string)[] | null | 'unknown';

/** Everything that the change says is written. */
export const applied = 0;

/** The change came too late; nothing of it is written. */
export const conflict = 1;

type Answer = typeof applied | typeof conflict;
type Apply = (change: UnpackedChange) => Answer | string;

/**
 * Prepares everything once. After a batch in doubt a small write must succeed before the next batch is tried: it puts the
 * doubtful frames out of the way, and a disk that stays in trouble makes batches fail instead of being in doubt for ever.
 * @returns what applies one batch; throws when nothing of it was applied
 */
export function prepareBatches(db: SqliteDatabase, transact: Transact): (values: readonly SqlValue[]) => PackedAnswers {
  const { plainly, carefully } = prepareBothWays(db);
  const touch = db.prepare('UPDATE clock SET high_water_ms = high_water_ms');
  let doubtful = false;
  const inDoubt = () => {
    doubtful = true;
    return 'unknown' as const;
  };
  return (values) => {
    const changes = unpackChanges(values);
    if (doubtful) transact(() => touch.run());
    doubtful = false;
    try {
      return transact<PackedAnswers>(() => applyAll(changes, plainly), inDoubt);
    } catch (error) {
      if (sqliteFault(error) !== 'value') throw error;
    }
    return transact<PackedAnswers>(() => applyAll(changes, carefully), inDoubt);
  };
}

/** Two ways to apply one change: as fast as it goes, and so that a bad value is its own change's trouble only. */
function prepareBothWays(db: SqliteDatabase): { readonly plainly: Apply; readonly carefully: Apply } {
  const applyOne = prepareChange(db);
  const savepoint = prepareSavepoints(db);
  return {
    plainly: (change) => (mayLoseLate(change) ? savepoint(() => applyOne(change)) : applyOne(change)),
    carefully(change) {
      try {
        return savepoint(() => applyOne(change));
      } catch (error) {
        if (sqliteFault(error) !== 'value') throw error;
        return (error as Error).message;
      }
    },
  };
}

function applyAll(changes: readonly UnpackedChange[], apply: Apply): PackedAnswers {
  const answers = changes.map(apply);
  return answers.every((answer) => answer === applied) ? null : answers;
}

function mayLoseLate({ records, documents }: UnpackedChange): boolean {
  return records.length > 0 || documents.length > 0;
}

function prepareSavepoints(db: SqliteDatabase): (body: () => Answer) => Answer {
  const begin = db.prepare('SAVEPOINT change');
  const undo = db.prepare('ROLLBACK TO change');
  const end = db.prepare('RELEASE change');
  return (body) => {
    begin.run();
    let answer: Answer = conflict;
    try {
      answer = body();
    } finally {
      if (db.inTransaction) {
        if (answer === conflict) undo.run();
        end.run();
      }
    }
    return answer;
  };
}

/** The statements of one change, run in the order of the packed parts; what lies beside the transaction is written by its id. */
function prepareChange(db: SqliteDatabase): (change: UnpackedChange) => Answer {
  const writeTx = prepareTx(db);
  const writeDocument = prepareDocument(db);
  const insertSpec = db.prepare(commitStatements.insertSpec);
  const insertHistory = db.prepare(commitStatements.insertHistory);
  const insertRecord = db.prepare(commitStatements.insertRecord);
  const insertAudit = db.prepare(commitStatements.insertAudit);
  return ({ expectedVersion, tx, specs, history, records, documents, audit }) => {
    if (tx !== null) {
      const id = writeTx(tx, expectedVersion);
      if (id === null) return conflict;
      for (const spec of specs) insertSpec.run(id, spec);
      for (const part of history) insertHistory.run(id, part);
      for (const record of records) if (insertRecord.run(id, record).changes === 0) return conflict;
    }
    for (const document of documents) if (!writeDocument(document)) return conflict;
    for (const row of audit) insertAudit.run(row);
    return applied;
  };
}

const finishedAt = txIndexed.names.indexOf('finished_at');

/** Writes a row of `tx`. @returns its id; null when the stored version is not the one before */
function prepareTx(db: SqliteDatabase): (tx: NonNullable<UnpackedChange['tx']>, expectedVersion: number) => number | null {
  const insert = db.prepare(commitStatements.insertTx);
  const find = db.prepare(commitStatements.findTx).pluck();
  const updateSteadily = db.prepare(commitStatements.updateTxSteadily);
  const update = db.prepare(commitStatements.updateTx);
  return ({ once, indexed, always }, expectedVersion) => {
    if (expectedVersion === 0) {
      const { changes, lastInsertRowid } = insert.run(once, indexed, always);
      return changes === 1 ? (lastInsertRowid as number) : null;
    }
    const id = find.get(once[0], expectedVersion) as number | undefined;
    if (id === undefined) return null;
    const isSteady = indexed[finishedAt] === null && updateSteadily.run(always, id, indexed).changes === 1;
    if (!isSteady) update.run(indexed, always, id);
    return id;
  };
}

function prepareDocument(db: SqliteDatabase): (document: SqlRow) => boolean {
  const create = db.prepare(commitStatements.createDocument);
  const replace = db.prepare(commitStatements.replaceDocument);
  const remove = db.prepare(commitStatements.deleteDocument);
  return ([kind, key, expected, content]) => {
    if (content === null) return remove.run(kind, key, expected).changes === 1;
    if (expected === 0) return create.run(kind, key, 1, content).changes === 1;
    return replace.run((expected as number) + 1, content, kind, key, expected).changes === 1;
  };
}
