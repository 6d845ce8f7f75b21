/** Values that the types exclude: whatever they are, they are the trouble of their own change only. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransactionRow } from '@amends/core';
import type { Change, Store } from '@amends/store';
import { firstChange, gidOf, sampleHistory } from '@amends/store/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';

let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-pack-'));
  store = await openSqliteStore({ path: join(directory, 'amends.db') });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

test.each<[string, Partial<TransactionRow>, Partial<Change>]>([
  ['a part is missing', {}, { history: undefined as never }],
  ['a value cannot go to another thread', { reason: (() => 1) as never }, {}],
  ['a value is of a kind that no column holds', { reason: true as never }, {}],
  ['a value is missing', { state: undefined as never }, {}],
  ['a number is none', { createdAt: Number.NaN as never }, {}],
  ['a record has no bytes', {}, { records: [{ kind: 'k', key: 'k', content: (() => 1) as never }] }],
  ['a document has no content', {}, { documents: [{ kind: 'k', key: 'k', expectedVersion: 0, content: undefined as never }] }],
  ['the history is not in order', {}, { history: [sampleHistory(2), sampleHistory(1)] }],
])('a change of which %s is refused alone, with its reason', async (_, row, fields) => {
  const unfit = firstChange(gidOf('unfit'), row, fields);
  const answers = await store.commit([firstChange(gidOf('a')), unfit, firstChange(gidOf('b'))]);
  expect(answers).toEqual([
    { fate: 'applied' },
    { fate: 'refused', message: expect.stringMatching(/\w{3}/) },
    { fate: 'applied' },
  ]);
  const loaded = await store.load([gidOf('a'), gidOf('unfit'), gidOf('b')]);
  expect(loaded.map((transaction) => transaction?.row.gid)).toEqual(['a', undefined, 'b']);
});
