/** A COMMIT that fails, put in front of SQLite: what was done before it is rolled back as SQLite does then. */
import { firstChange, gidOf } from '@amends/store/contract';
import Database from 'better-sqlite3';
import { beforeEach, expect, test } from 'vitest';
import { sqliteMigrations } from '../../migrations/sqlite.ts';
import { type PackedAnswers, prepareBatches } from './apply-changes.ts';
import { packChanges } from './pack-changes.ts';
import { prepareTransactions } from './transaction.ts';

let db: Database.Database;
let apply: (gid: string) => PackedAnswers;
let commitFails: string | null;
let beforeCommit: () => void;

beforeEach(() => {
  db = new Database(':memory:');
  for (const { sql } of sqliteMigrations) db.exec(sql);
  commitFails = null;
  beforeCommit = () => {
    if (commitFails === null) return;
    db.exec('ROLLBACK');
    throw new Database.SqliteError('disk trouble', commitFails);
  };
  const prepare = db.prepare.bind(db);
  db.prepare = ((sql: string) => {
    const statement = prepare(sql);
    if (sql !== 'COMMIT') return statement;
    const run = statement.run.bind(statement);
    statement.run = () => {
      beforeCommit();
      return run();
    };
    return statement;
  }) as typeof db.prepare;
  const applyBatch = prepareBatches(db, prepareTransactions(db));
  apply = (gid) => applyBatch(packChanges([firstChange(gidOf(gid))]).values);
});

const stored = () => db.prepare('SELECT gid FROM tx').pluck().all();

test.each(['SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_WRITE', 'SQLITE_NOMEM'])('after %s of COMMIT the batch is unknown', (code) => {
  commitFails = code;
  expect(apply('a')).toBe('unknown');
});

test('a disk that stays in trouble makes the next batches fail; once it is well they are applied', () => {
  commitFails = 'SQLITE_IOERR_FSYNC';
  expect(apply('a')).toBe('unknown');
  expect(() => apply('b')).toThrow('disk trouble');
  expect(() => apply('b')).toThrow('disk trouble');
  commitFails = null;
  expect(apply('b')).toBe(null);
  expect(stored()).toEqual(['b']);
});

test('a disk that is full at COMMIT makes the batch fail: nothing of it can come back', () => {
  commitFails = 'SQLITE_FULL';
  expect(() => apply('a')).toThrow('disk trouble');
  commitFails = null;
  expect(apply('a')).toBe(null);
});

test('a COMMIT that is refused before anything is written leaves no transaction open', () => {
  beforeCommit = () => {
    throw new Database.SqliteError('busy', 'SQLITE_BUSY');
  };
  expect(() => apply('a')).toThrow('busy');
  expect(db.inTransaction).toBe(false);
  expect(stored()).toEqual([]);
});

test('an error of a statement before COMMIT fails the batch', () => {
  db.exec('DROP TABLE history');
  expect(() => apply('a')).toThrow('no such table');
  expect(stored()).toEqual([]);
});
