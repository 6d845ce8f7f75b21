/** Values that the types exclude and that fail before SQLite sees them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change, Store } from '@amends/store';
import { firstChange, gidOf } from '@amends/store/contract';
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

test.each([
  ['a part is missing', { history: undefined }],
  ['a value cannot go to another thread', { records: [{ kind: 'k', key: 'k', content: () => 1 }] }],
  ['a value is missing', { documents: [{ kind: 'k', key: 'k', expectedVersion: 0, content: undefined }] }],
])('a change of which %s is refused alone, with its reason', async (_, fields) => {
  const unfit = firstChange(gidOf('unfit'), {}, fields as unknown as Partial<Change>);
  const answers = await store.commit([firstChange(gidOf('a')), unfit, firstChange(gidOf('b'))]);
  expect(answers).toEqual([
    { fate: 'applied' },
    { fate: 'refused', message: expect.stringMatching(/undefined|cannot be stored/) },
    { fate: 'applied' },
  ]);
  const loaded = await store.load([gidOf('a'), gidOf('unfit'), gidOf('b')]);
  expect(loaded.map((transaction) => transaction?.row.gid)).toEqual(['a', undefined, 'b']);
});
