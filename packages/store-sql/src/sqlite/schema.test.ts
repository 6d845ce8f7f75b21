/** The tables as the code names them are those that the migrations make. */
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import * as tables from '../tables.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

const db = new Database(':memory:');
for (const { sql } of sqliteDialect.migrations) db.exec(sql);

const sqliteTypes: Readonly<Record<string, string>> = { INTEGER: 'integer', TEXT: 'text', BLOB: 'bytes' };

function columnsIn(table: string): readonly string[] {
  const columns = db.pragma(`table_info(${table})`) as { readonly name: string; readonly type: string }[];
  return columns.map(({ name, type }) => `${name} ${sqliteTypes[type]}`);
}

function named(...runs: readonly tables.NamedColumns[]): readonly string[] {
  return runs.flatMap(({ names, types }) => names.map((name, index) => `${name} ${types[index]}`));
}

test.each([
  ['tx', ['id integer'], named(tables.txOnce, tables.txIndexed, tables.txAlways)],
  ['spec', ['tx_id integer'], named(tables.specColumns)],
  ['history', ['tx_id integer'], named(tables.historyColumns)],
  ['record', ['tx_id integer'], named(tables.recordColumns)],
  ['audit', ['id integer'], named(tables.auditColumns)],
  ['document', [], named(tables.documentColumns)],
  ['node', [], named(tables.nodeColumns)],
])('%s has the columns and types that are named', (table, numbers, columns) => {
  expect(columnsIn(table)).toEqual([...numbers, ...columns]);
});
