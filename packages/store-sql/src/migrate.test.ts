import { isAmendsError } from '@amends/core';
import { expect, test } from 'vitest';
import { checksumOf, pendingMigrations } from './migrate.ts';
import { sqliteMigrations } from './migrations/sqlite.ts';

const one = { number: 1, name: 'one', sql: 'CREATE TABLE a (x)' };
const two = { number: 2, name: 'two', sql: 'CREATE TABLE b (x)' };
const appliedOne = { number: 1, name: 'one', checksum: checksumOf(one) };
const refused = (error: unknown) => isAmendsError(error, 'store_refused');

test('what is not applied yet is pending, in order', () => {
  expect(pendingMigrations([one, two], [], 'x.db')).toEqual([one, two]);
  expect(pendingMigrations([one, two], [appliedOne], 'x.db')).toEqual([two]);
  expect(pendingMigrations([one], [appliedOne], 'x.db')).toEqual([]);
});

test('a step that this version does not know, or knows otherwise, is refused', () => {
  expect(() => pendingMigrations([], [appliedOne], 'x.db')).toThrow(/x\.db has schema version 1 \(one\)/);
  expect(() => pendingMigrations([{ ...one, sql: 'x' }], [appliedOne], 'x.db')).toThrow(/x\.db: migration 1 \(one\)/);
  expect(() => pendingMigrations([], [appliedOne], 'x.db')).toThrow(expect.toSatisfy(refused));
});

test('released migrations are as they were released', () => {
  expect(sqliteMigrations.map((step) => `${step.number} ${step.name} ${checksumOf(step)}`)).toMatchInlineSnapshot(`
    [
      "1 first-schema 5293fa7a17d3b2b410a1e3f2fca55946c88d7257f8dc9bdc0cdfd715f8c2ba50",
      "2 list-index c6c53293ae9969e139a9d9ef90d96f9affc65dcd7014e0d2efa41eff0b41e7c4",
      "3 record-digest c9fe75d47fcdb877be779473c2d65a92bfa2256e2ba11473856ee20508691ef9",
      "4 commit-count 0f5090c8685a3b5a7cdefd132582aebdc1f9342ca0d32ed1c423cd616e4b7de4",
      "5 compact-history dcf416027f8553de837fc5f3f1686486dc646fdec460db46738cc738b9794860",
      "6 no-created-index 9a4573c6e617b42c31b0a832af09950611f6276b214d8b0cc87cddd29920b11c",
    ]
  `);
  expect(sqliteMigrations.map((step) => step.number)).toEqual(sqliteMigrations.map((_, index) => index + 1));
});
