/** Care of a file that no server has open. */
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAmendsError } from '@amends/core';
import { firstChange, gidOf } from '@amends/store/contract';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';
import { backUpSqliteFile, compactSqliteFile, verifySqliteFile } from './file-care.ts';

let directory: string;
let path: string;

/** A file of a release before this one, with transactions of every kind. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-care-'));
  path = join(directory, 'amends.db');
  await copyFile(new URL('../../../fixtures/sqlite-1.db', import.meta.url), path);
});
afterEach(() => rm(directory, { recursive: true }));

function alter(sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

test('a sound file is found sound, and neither it nor its folder is changed', async () => {
  const before = await readFile(path);
  const { transactions, troubles } = await verifySqliteFile(path);
  expect(transactions).toBeGreaterThan(6);
  expect(troubles).toEqual([]);
  expect(await readFile(path)).toEqual(before);
  expect(await readdir(directory)).toEqual(['amends.db']);
});

test.each([
  [
    'an altered payload',
    "UPDATE spec SET payloads = x'00' WHERE tx_id = 1",
    /its plan or its payloads are not those that were stored/,
  ],
  ['a state that is none', "UPDATE tx SET state = '?' WHERE id = 1", /its state: /],
  ['a missing plan', 'DELETE FROM spec WHERE tx_id = 1', /has no plan/],
  [
    'history of nothing',
    "INSERT INTO history (tx_id, seq, at, kind, status) VALUES (99, 1, 1, 'held', 'failed')",
    /history of transaction 99/,
  ],
])('%s is found', async (_what, sql, words) => {
  alter(sql);
  expect((await verifySqliteFile(path)).troubles).toEqual([expect.stringMatching(words)]);
});

test('an altered record is found', async () => {
  const store = await openSqliteStore({ path });
  const records = [{ kind: 'answer', key: '01', content: Uint8Array.from([1]) }];
  await store.commit([firstChange(gidOf('kept'), {}, { records })]);
  await store.close();
  expect((await verifySqliteFile(path)).troubles).toEqual([expect.stringMatching(/"kept": its plan/)]);
  alter("UPDATE record SET content = x'02' WHERE key = '01' AND tx_id = (SELECT id FROM tx WHERE gid = 'kept')");
  expect((await verifySqliteFile(path)).troubles).toContain('transaction "kept": answer "01" is not what was written');
});

test('a history that cannot be read is found', async () => {
  await (await openSqliteStore({ path })).close();
  alter("UPDATE history SET entries = '?' WHERE tx_id = 1 AND seq = 1");
  expect((await verifySqliteFile(path)).troubles).toEqual([
    expect.stringMatching(/^transaction ".+": a part of the history is damaged/),
  ]);
});

test('damaged pages are found, or the file is refused', async () => {
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xee, bytes.length - 9_000, bytes.length - 100));
  const troubles = await verifySqliteFile(path).then(
    (report) => report.troubles,
    (error: Error) => [error.message],
  );
  expect(troubles.length).toBeGreaterThan(0);
});

test('a backup is made of a file of any release, whose schema it keeps', async () => {
  const file = join(directory, 'backup.db');
  await backUpSqliteFile(path, file);
  const copy = new Database(file, { readonly: true });
  expect(copy.prepare('SELECT max(number) FROM migration').pluck().get()).toBe(1);
  copy.close();
  expect((await verifySqliteFile(file)).troubles).toEqual([]);
  await (await openSqliteStore({ path: file })).close();
});

test('compacting makes a file as small as it can be, and keeps what is in it', async () => {
  alter(`INSERT INTO audit (at, gid, actor, verb, reason, detail) VALUES (1, 'a', 'a', 'a', 'a', zeroblob(1) || '${'x'.repeat(300_000)}');
    DELETE FROM audit WHERE gid = 'a'`);
  const { bytesBefore, bytesAfter } = compactSqliteFile(path);
  expect(bytesAfter).toBeLessThan(bytesBefore - 250_000);
  expect((await stat(path)).size).toBe(bytesAfter);
  expect((await verifySqliteFile(path)).troubles).toEqual([]);
  expect(await readdir(directory)).toEqual(['amends.db']);
});

test('a file in use is left alone', async () => {
  const store = await openSqliteStore({ path });
  const inUse = (error: unknown) => isAmendsError(error, 'store_refused') && /in use by another process/.test(error.message);
  await expect(verifySqliteFile(path)).rejects.toSatisfy(inUse);
  await expect(backUpSqliteFile(path, join(directory, 'backup.db'))).rejects.toSatisfy(inUse);
  expect(() => compactSqliteFile(path)).toThrow(/in use by another process/);
  await store.close();
});

test('a path at which there is nothing stays without anything', async () => {
  const nowhere = join(directory, 'other.db');
  await expect(verifySqliteFile(nowhere)).rejects.toThrow(/other\.db is not there/);
  expect(() => compactSqliteFile(nowhere)).toThrow(/is not there/);
  expect(await readdir(directory)).toEqual(['amends.db']);
});
