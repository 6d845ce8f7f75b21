/** Copies of a store that is being used. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAmendsError } from '@amends/core';
import { firstChange, gidOf, sampleAudit, sampleSpec } from '@amends/store/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore, type SqliteStore } from '../open-sqlite-store.ts';

let directory: string;
let file: string;
let store: SqliteStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-backup-'));
  file = join(directory, 'backup.db');
  store = await openSqliteStore({ path: join(directory, 'amends.db') });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

test('holds all that was committed before it began, while commits go on', async () => {
  const spec = sampleSpec({ payloads: new Uint8Array(20_000).fill(7) });
  const some = (name: string) => Array.from({ length: 400 }, (_, n) => firstChange(gidOf(`${name}-${n}`), {}, { spec }));
  await store.commit(some('before'));
  await store.commit([{ row: null, documents: [], audit: [sampleAudit(gidOf('a'))] }]);
  let isOver = false;
  const copied = store.backUp(file).then(() => {
    isOver = true;
  });
  let during = 0;
  while (!isOver) {
    await store.commit([firstChange(gidOf(`during-${during}`))]);
    during += 1;
  }
  await copied;
  expect(during).toBeGreaterThan(3);
  const copy = await openSqliteStore({ path: file });
  const loaded = await copy.load(some('before').map(({ row }) => row.gid));
  expect(loaded.every((one) => one?.spec.payloads.length === 20_000)).toBe(true);
  expect(await copy.audit({ limit: 9 })).toHaveLength(1);
  await copy.close();
});

test('is one file, for its owner only', async () => {
  await store.backUp(file);
  expect((await readdir(directory)).filter((name) => name.startsWith('backup'))).toEqual(['backup.db']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('never replaces a file', async () => {
  await writeFile(file, 'mine');
  await expect(store.backUp(file)).rejects.toThrow(/backup\.db is there already; give another name, or remove it/);
});

test('never replaces a file that comes while it copies', async () => {
  const spec = sampleSpec({ payloads: new Uint8Array(200_000).fill(7) });
  await store.commit(Array.from({ length: 100 }, (_, n) => firstChange(gidOf(`${n}`), {}, { spec })));
  const copied = store.backUp(file);
  const refused = expect(copied).rejects.toThrow(/backup\.db has come meanwhile; give another name/);
  await expect.poll(async () => (await readdir(directory)).some((name) => name.endsWith('.part')), { interval: 1 }).toBe(true);
  await writeFile(file, 'mine');
  await refused;
  expect(await readFile(file, 'utf8')).toBe('mine');
});

test('into a folder that is not there says so, and the store goes on', async () => {
  await expect(store.backUp(join(directory, 'none', 'backup.db'))).rejects.toThrow(/ENOENT/);
  expect(await store.commit([firstChange(gidOf('a'))])).toEqual([{ fate: 'applied' }]);
});

test('is given up when the store is closed meanwhile, and leaves nothing', async () => {
  const spec = sampleSpec({ payloads: new Uint8Array(200_000).fill(7) });
  await store.commit(Array.from({ length: 100 }, (_, n) => firstChange(gidOf(`${n}`), {}, { spec })));
  const copied = store.backUp(file);
  const refused = expect(copied).rejects.toSatisfy((error) => isAmendsError(error, 'store_unavailable'));
  await store.close();
  await refused;
  expect((await readdir(directory)).filter((name) => name.startsWith('backup'))).toEqual([]);
});

test('into a folder that may not be written says so', async (context) => {
  if (process.getuid?.() === 0) return context.skip('permissions do not bind this user');
  await chmod(directory, 0o500);
  await expect(store.backUp(file)).rejects.toThrow(/EACCES/);
  await chmod(directory, 0o700);
});
