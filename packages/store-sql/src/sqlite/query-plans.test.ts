/** Nothing that runs regularly reads the whole table: every statement finds its rows, in order, by an index. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs } from '@amends/core';
import type { ListQuery } from '@amends/store';
import { gidOf } from '@amends/store/contract';
import { afterAll, expect, test } from 'vitest';
import { auditQuery, commitStatements, listQuery, statementsOf } from '../statements.ts';
import { openDatabase } from './sqlite-database.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

const directory = mkdtempSync(join(tmpdir(), 'amends-plans-'));
const db = openDatabase(join(directory, 'amends.db'), sqliteDialect.migrations);
afterAll(() => {
  db.close();
  rmSync(directory, { recursive: true });
});

function planOf(sql: string): string {
  const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...sql.replaceAll(/[^?]/g, '')) as { detail: string }[];
  return steps.map((step) => step.detail).join('\n');
}

const statements = statementsOf(sqliteDialect);
const small = ['clock', 'node', 'json_each', 'document'];

test.each(Object.entries({ ...commitStatements, ...statements }))('%s reads no table from end to end', (_name, sql) => {
  const scans = planOf(sql).match(/SCAN (?!.*USING .*INDEX)\w+/g) ?? [];
  expect(scans.filter((scan) => !small.includes(scan.slice(5)))).toEqual([]);
});

test.each([statements.claimable, statements.purgeable, statements.history])('%s needs no sorting', (sql) => {
  expect(planOf(sql)).not.toMatch(/TEMP B-TREE/);
});

test('the steady update of a row touches no index', () => {
  const code = db.prepare(`EXPLAIN ${commitStatements.updateTxSteadily}`).all(...Array(14).fill(1)) as { opcode: string }[];
  const opcodes = code.map((step) => step.opcode);
  expect(opcodes).not.toContain('IdxInsert');
  expect(opcodes).not.toContain('IdxDelete');
});

const after = { createdAt: epochMs(1), gid: gidOf('a') };
const lists: [string, string, Partial<ListQuery>][] = [
  ['all', 'tx_created', {}],
  ['a page', 'tx_created', { after }],
  ['a window of time', 'tx_created', { createdFrom: epochMs(1), createdBefore: epochMs(2) }],
  ['the failed', 'tx_status', { status: 'failed' }],
  ['the running', 'tx_status', { status: 'submitted', after }],
  ['the succeeded', 'tx_created', { status: 'succeed' }],
  ['the held', 'tx_held', { held: true }],
];

test.each(lists)('a list of %s is read in order of index %s', (_name, index, query) => {
  const plan = planOf(listQuery({ limit: 10, ...query }).sql);
  expect(plan).toContain(`USING INDEX ${index}`);
  expect(plan).not.toMatch(/TEMP B-TREE/);
});

test('audit rows of one transaction are read by index', () => {
  expect(planOf(auditQuery({ gid: 'a', beforeId: 9, limit: 10 }).sql)).toContain('audit_gid');
});
