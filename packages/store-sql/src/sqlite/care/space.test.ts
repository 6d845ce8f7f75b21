/** What is purged leaves the file, and the file leaves the disk. */
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs } from '@amends/core';
import type { Store } from '@amends/store';
import { finished, firstChange, gidOf, sampleSpec, sampleTime } from '@amends/store/contract';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-space-'));
  path = join(directory, 'amends.db');
});
afterEach(() => rm(directory, { recursive: true }));

const sizeOf = async () => (await stat(path)).size;
const pragma = (name: string) => {
  const db = new Database(path, { readonly: true });
  try {
    return db.pragma(name, { simple: true });
  } finally {
    db.close();
  }
};

/** Puts `count` finished transactions of about 4 KB into a store. */
async function fill(store: Store, count: number): Promise<void> {
  const spec = sampleSpec({ payloads: new Uint8Array(4_000).fill(7) });
  for (let n = 0; n < count; n += 500) {
    const some = Array.from({ length: 500 }, (_, m) => firstChange(gidOf(`g${n + m}`), finished(sampleTime), { spec }));
    await store.commit(some);
  }
}

async function purgeAll(store: Store): Promise<number> {
  const finishedBefore = epochMs(sampleTime + 1);
  for (let count = 0; ; ) {
    const purged = await store.purge({ status: 'succeed', finishedBefore, limit: 100 });
    count += purged.count;
    if (!purged.more) return count;
  }
}

test('a file shrinks while what was in it is purged, and after that holds little', async () => {
  const store = await openSqliteStore({ path });
  await fill(store, 3_000);
  await store.close();
  const full = await sizeOf();
  const again = await openSqliteStore({ path });
  expect(await purgeAll(again)).toBe(3_000);
  expect(await sizeOf()).toBeLessThan(full / 4);
  expect((await again.ping()).facts).toMatchObject({ freeBytes: expect.any(Number) });
  await again.close();
  expect(await sizeOf()).toBeLessThan(2_000_000);
});

test('free pages that new rows will want are kept: what comes and goes does not move the end of the file', async () => {
  const store = await openSqliteStore({ path });
  await fill(store, 500);
  await purgeAll(store);
  await store.ping();
  const { freeBytes } = (await store.ping()).facts;
  expect(freeBytes).toBeGreaterThan(500_000);
  expect(freeBytes).toBeLessThan(1_200_000);
  await store.close();
});

test('a small file of an older version can shrink once it has been opened', async () => {
  await copyFile(new URL('../../../fixtures/sqlite-1.db', import.meta.url), path);
  expect(pragma('auto_vacuum')).toBe(0);
  const notes: string[] = [];
  await (await openSqliteStore({ path, onNote: (words) => notes.push(words) })).close();
  expect(pragma('auto_vacuum')).toBe(2);
  expect(notes).toEqual([]);
});

test('a large one is opened as it is, with a word on how it could shrink', async () => {
  const store = await openSqliteStore({ path });
  await fill(store, 18_000);
  await store.close();
  const db = new Database(path);
  db.pragma('auto_vacuum = 0');
  db.exec('VACUUM');
  db.close();
  const notes: string[] = [];
  const again = await openSqliteStore({ path, onNote: (words) => notes.push(words) });
  expect(notes).toEqual([expect.stringMatching(/can shrink after amends store compact/)]);
  expect(await again.purge({ status: 'succeed', finishedBefore: epochMs(sampleTime + 1), limit: 100 })).toMatchObject({
    count: 100,
  });
  await again.close();
});
