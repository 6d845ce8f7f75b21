/** Nothing that runs regularly reads the whole table: every statement finds its rows, in order, by an index. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs } from '@amends/core';
import type { ListQuery } from '@amends/store';
import { gidOf } from '@amends/store/contract';
import { afterAll, expect, test } from 'vitest';
import { listQuery } from '../list-query.ts';
import { purgeQuery } from '../purge-query.ts';
import { auditQuery, commitStatements, makeStatements } from '../statements.ts';
import { openDatabase } from './file/sqlite-database.ts';
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

const statements = makeStatements(sqliteDialect);
const small = ['clock', 'node', 'json_each', 'document'];

test.each(Object.entries({ ...commitStatements, ...statements }))('%s reads no table from end to end', (_name, sql) => {
  const scans = planOf(sql).match(/SCAN (?!.*USING .*INDEX)\w+/g) ?? [];
  expect(scans.filter((scan) => !small.includes(scan.slice(5)))).toEqual([]);
});

test.each([statements.claimable, statements.history])('%s needs no sorting', (sql) => {
  expect(planOf(sql)).not.toMatch(/TEMP B-TREE/);
});

test('what may be purged is merged from stretches of its index', () => {
  const { sql } = purgeQuery({ status: 'failed', finishedBefore: epochMs(1), limit: 1 });
  const reads = planOf(sql)
    .split('\n')
    .filter((step) => / tx( |$)/.test(step));
  expect([...new Set(reads)]).toEqual(['SEARCH tx USING INDEX tx_list (mode=? AND status=? AND <expr>=? AND created_at<?)']);
});

test('the steady update of a row touches no index', () => {
  const code = db.prepare(`EXPLAIN ${commitStatements.updateTxSteadily}`).all(...Array(14).fill(1)) as { opcode: string }[];
  const opcodes = code.map((step) => step.opcode);
  expect(opcodes).not.toContain('IdxInsert');
  expect(opcodes).not.toContain('IdxDelete');
});

const after = { createdAt: epochMs(1), gid: gidOf('a') };
const stretches: readonly Partial<ListQuery>[] = [
  {},
  { after },
  { createdFrom: epochMs(1) },
  { createdBefore: epochMs(2), after },
  { createdFrom: epochMs(0), createdBefore: epochMs(1), after },
];

const filters = [undefined, 'saga'].flatMap((mode) =>
  ([undefined, 'submitted', 'succeed'] as const).flatMap((status) =>
    [undefined, true, false].map((held): Partial<ListQuery> => {
      return { ...(mode && { mode }), ...(status && { status }), ...(held !== undefined && { held }) };
    }),
  ),
);
const filtered = filters
  .filter((filter) => !(filter.held && filter.status === 'succeed'))
  .flatMap((filter) => stretches.map((stretch) => ({ ...filter, ...stretch })));

test.each(filtered)('a list is merged from stretches of its index: %j', (query) => {
  const steps = planOf(listQuery({ limit: 10, ...query }).sql).split('\n');
  const reads = steps.filter((step) => / tx( |$)/.test(step));
  const run = /^SEARCH tx USING COVERING INDEX tx_list \(mode=\? AND status=\? AND <expr>=\?(.*)\)$/;
  expect(reads.filter((step) => !run.test(step))).toEqual(['SEARCH tx USING INTEGER PRIMARY KEY (rowid=?)']);
  const bounds = new Set(reads.flatMap((step) => run.exec(step)?.[1] ?? []));
  const { createdFrom, createdBefore } = query;
  const isBounded = createdFrom !== undefined || createdBefore !== undefined || query.after !== undefined;
  expect([...bounds].every((bound) => (bound !== '') === isBounded)).toBe(true);
});

test('of two upper ends the nearer one is where the index is entered', () => {
  const early = { createdAt: epochMs(5), gid: gidOf('a') };
  const one = { limit: 1, mode: 'saga', status: 'succeed', after: early } as const;
  expect(listQuery({ ...one, createdBefore: epochMs(9) }).parameters).toEqual(['saga', 'succeed', 0, 5, 'a', 2, 2]);
  expect(listQuery({ ...one, createdBefore: epochMs(5) }).parameters).toEqual(['saga', 'succeed', 0, 5, 2, 2]);
});

test('audit rows of one transaction are read by index', () => {
  expect(planOf(auditQuery({ gid: gidOf('a'), beforeId: 9, limit: 10 }).sql)).toContain('audit_gid');
});
