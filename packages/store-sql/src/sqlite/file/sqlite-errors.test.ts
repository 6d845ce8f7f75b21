import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sqliteFault } from './sqlite-errors.ts';

test.each([
  ['SQLITE_FULL', 'unavailable'],
  ['SQLITE_IOERR_FSYNC', 'unavailable'],
  ['SQLITE_BUSY_SNAPSHOT', 'unavailable'],
  ['SQLITE_READONLY_DBMOVED', 'unavailable'],
  ['SQLITE_CORRUPT_VTAB', 'refused'],
  ['SQLITE_NOTADB', 'refused'],
  ['SQLITE_CONSTRAINT_CHECK', 'value'],
  ['SQLITE_TOOBIG', 'value'],
  ['SQLITE_MISUSE', 'bug'],
])('%s is %s', (code, fault) => {
  expect(sqliteFault(new Database.SqliteError('x', code))).toBe(fault);
});

test('a value that the driver does not take is a value, anything else a bug', () => {
  const db = new Database(':memory:');
  const refuse = () => db.prepare('SELECT ?').get(true);
  expect(refuse).toThrow(TypeError);
  expect(sqliteFault(new TypeError('SQLite3 can only bind'))).toBe('value');
  expect(sqliteFault(new Error('x'))).toBe('bug');
  expect(sqliteFault('x')).toBe('bug');
  db.close();
});
