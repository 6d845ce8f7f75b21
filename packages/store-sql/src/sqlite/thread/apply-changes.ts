/**
 * Applies a packed batch in one database transaction, row by row with prepared statements.
 *
 * A change whose first statement, on `tx`, changes no row has lost its compare-and-swap, and nothing else of it is
 * written. A loose change has no such statement. Only changes with records or documents can lose later; they run inside a
 * savepoint. When a value is refused the whole batch is rolled back and done again with a savepoint around every change, so that
 * the bad one stands alone.
 */
import type { Statement } from 'better-sqlite3';
import type { SqlValue } from '../../columns.ts';
import { commitStatements } from '../../statements.ts';
import type { SqliteDatabase } from '../file/sqlite-database.ts';
import { sqliteFault } from '../file/sqlite-errors.ts';
import { header, loose, widths } from './pack-changes.ts';
import type { Transact } from './transaction.ts';

/** Per change: applied, conflict, or the message of its refusal. `null`: all applied; `unknown`: all or none of them. */
export type PackedAnswers = readonly (typeof applied | typeof conflict | string)[] | null | 'unknown';

/** Everything that the change says is written. */
export const applied = 0;

/** The change came too late; nothing of it is written. */
export const conflict = 1;

type Answer = typeof applied | typeof conflict;
type Apply = (values: readonly SqlValue[], start: number) => Answer | string;

/**
 * Prepares everything once. After a batch in doubt a small write must succeed before the next batch is tried: it puts the
 * doubtful frames out of the way, and a disk that stays in trouble makes batches fail instead of being in doubt for ever.
 * @returns what applies one batch; throws when nothing of it was applied
 */
export function batchApplier(db: SqliteDatabase, transact: Transact): (values: readonly SqlValue[]) => PackedAnswers {
  const { plainly, carefully } = appliers(db);
  const touch = db.prepare('UPDATE clock SET high_water_ms = high_water_ms');
  let doubtful = false;
  const inDoubt = () => {
    doubtful = true;
    return 'unknown' as const;
  };
  return (values) => {
    if (doubtful) transact(() => touch.run());
    doubtful = false;
    try {
      return transact<PackedAnswers>(() => applyAll(values, plainly), inDoubt);
    } catch (error) {
      if (sqliteFault(error) !== 'value') throw error;
    }
    return transact<PackedAnswers>(() => applyAll(values, carefully), inDoubt);
  };
}

/** Two ways to apply one change: as fast as it goes, and so that a bad value is its own change's trouble only. */
function appliers(db: SqliteDatabase): { readonly plainly: Apply; readonly carefully: Apply } {
  const applyOne = changeApplier(db);
  const savepoint = savepoints(db);
  return {
    plainly: (values, start) => (mayLoseLate(values, start) ? savepoint(() => applyOne(values, start)) : applyOne(values, start)),
    carefully(values, start) {
      try {
        return savepoint(() => applyOne(values, start));
      } catch (error) {
        if (sqliteFault(error) !== 'value') throw error;
        return (error as Error).message;
      }
    },
  };
}

function applyAll(values: readonly SqlValue[], apply: Apply): PackedAnswers {
  const answers: (Answer | string)[] = [];
  let allApplied = true;
  for (let start = 0; start < values.length; start += values[start + header.length] as number) {
    const answer = apply(values, start);
    answers.push(answer);
    if (answer !== applied) allApplied = false;
  }
  return allApplied ? null : answers;
}

function mayLoseLate(values: readonly SqlValue[], start: number): boolean {
  return values[start + header.records] !== 0 || values[start + header.documents] !== 0;
}

function savepoints(db: SqliteDatabase): (body: () => Answer) => Answer {
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

/** The statements of one change, run in the order of the packed parts. */
function changeApplier(db: SqliteDatabase): (values: readonly SqlValue[], start: number) => Answer {
  const { tx, spec, history, record, document, audit } = partWriters(db);
  return (values, start) => {
    let at = start + header.size;
    const gid = values[at]!;
    if (values[start + header.expectedVersion] !== loose) {
      check(values, start);
      if (!tx(values, at)) return conflict;
      at += widths.tx;
    }
    const each = (part: number, width: number, write: (gid: SqlValue, row: readonly SqlValue[]) => boolean) => {
      for (let left = values[start + part] as number; left > 0; left -= 1, at += width)
        if (!write(gid, values.slice(at, at + width))) return false;
      return true;
    };
    return each(header.specs, widths.spec, spec) &&
      each(header.history, widths.history, history) &&
      each(header.records, widths.record, record) &&
      each(header.documents, widths.document, document) &&
      each(header.audit, widths.audit, audit)
      ? applied
      : conflict;
  };
}

/** What no constraint can see. */
function check(values: readonly SqlValue[], start: number): void {
  const expected = values[start + header.expectedVersion] as number;
  const version = values[start + header.size + widths.tx - 1];
  if (version !== expected + 1) throw new RangeError(`version: is ${version}, must be ${expected + 1}`);
  if ((values[start + header.specs] === 1) !== (expected === 0))
    throw new RangeError('spec: comes with the first change of a gid and only then');
}

function partWriters(db: SqliteDatabase) {
  const insertSpec = db.prepare(commitStatements.insertSpec);
  const insertHistory = db.prepare(commitStatements.insertHistory);
  const insertRecord = db.prepare(commitStatements.insertRecord);
  const insertAudit = db.prepare(commitStatements.insertAudit);
  return {
    tx: txWriter(db),
    spec: (gid: SqlValue, row: readonly SqlValue[]) => insertSpec.run(gid, ...row).changes === 1,
    history: (gid: SqlValue, row: readonly SqlValue[]) => insertHistory.run(gid, ...row).changes === 1,
    record: (gid: SqlValue, row: readonly SqlValue[]) => insertRecord.run(gid, ...row).changes === 1,
    document: documentWriter(db),
    audit: (_gid: SqlValue, row: readonly SqlValue[]) => insertAudit.run(...row).changes === 1,
  };
}

/** Writes the row at `at`; false when the stored version is not the one before. */
function txWriter(db: SqliteDatabase): (values: readonly SqlValue[], at: number) => boolean {
  const insert = db.prepare(commitStatements.insertTx);
  const updateSteadily = db.prepare(commitStatements.updateTxSteadily);
  const update = db.prepare(commitStatements.updateTx);
  return (values, at) => {
    const row = values.slice(at, at + widths.tx);
    const [gid, , , finishedAt, status, hold, dueAt, owner] = row;
    const before = (row[widths.tx - 1] as number) - 1;
    if (before === 0) return insert.run(...row).changes === 1;
    const maySteady = finishedAt === null && dueAt !== null;
    if (maySteady && changesOne(updateSteadily, [...row.slice(8), gid!, before, status!, hold!, dueAt!, owner!])) return true;
    return changesOne(update, [...row.slice(3), gid!, before]);
  };
}

function changesOne(statement: Statement, parameters: readonly SqlValue[]): boolean {
  return statement.run(...parameters).changes === 1;
}

function documentWriter(db: SqliteDatabase): (gid: SqlValue, row: readonly SqlValue[]) => boolean {
  const create = db.prepare(commitStatements.createDocument);
  const replace = db.prepare(commitStatements.replaceDocument);
  const remove = db.prepare(commitStatements.deleteDocument);
  return (_gid, [kind, key, expected, content]) => {
    if (content === null) return remove.run(kind, key, expected).changes === 1;
    if (expected === 0) return create.run(kind, key, 1, content).changes === 1;
    return replace.run((expected as number) + 1, content, kind, key, expected).changes === 1;
  };
}
