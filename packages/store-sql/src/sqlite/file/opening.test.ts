/** What cannot be opened is refused with words that name the path and the remedy; what can be, is. */
import { chmod, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAmendsError } from '@amends/core';
import { firstChange, gidOf } from '@amends/store/contract';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-opening-'));
  path = join(directory, 'amends.db');
});
afterEach(() => rm(directory, { recursive: true }));

async function refusal(at = path): Promise<string> {
  const error = await openSqliteStore({ path: at }).then(
    () => new Error('it was opened'),
    (thrown: unknown) => thrown,
  );
  expect(error).toSatisfy((thrown) => isAmendsError(thrown, 'store_refused'));
  return (error as Error).message;
}

/** Makes a sound file with a transaction in it. */
async function written(): Promise<void> {
  const store = await openSqliteStore({ path });
  await store.commit(Array.from({ length: 200 }, (_, n) => firstChange(gidOf(`g${n}`))));
  await store.close();
}

function alter(sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

test('missing folders are made; the file is for its owner only', async () => {
  const deep = join(directory, 'a', 'b', 'amends.db');
  await (await openSqliteStore({ path: deep })).close();
  expect((await stat(deep)).mode & 0o777).toBe(0o600);
});

test('what opening has made is named: the topmost folder that was missing, and the file', async () => {
  const deep = join(directory, 'a', 'b', 'amends.db');
  const created: (readonly string[])[] = [];
  const onCreated = (paths: readonly string[]) => void created.push(paths);
  await (await openSqliteStore({ path: deep, onCreated })).close();
  await (await openSqliteStore({ path, onCreated })).close();
  await (await openSqliteStore({ path, onCreated })).close();
  expect(created).toEqual([[join(directory, 'a'), deep], [path]]);
});

test.each([
  ['missing', () => rm(path)],
  ['empty', () => truncate(path)],
])('a file that is %s while its log is there is refused, and the log stays', async (_what, lose) => {
  await written();
  await writeFile(`${path}-wal`, 'answered for');
  await lose();
  expect(await refusal()).toMatch(/amends\.db is missing or empty, but .*amends\.db-wal of it is there.*Put the file back/s);
  expect(await readFile(`${path}-wal`, 'utf8')).toBe('answered for');
});

test('a file that is missing while its witness is there is refused', async () => {
  await writeFile(`${path}-witness`, 'seen');
  expect(await refusal()).toMatch(/amends\.db-witness of it is there/);
});

test('an empty file is taken for a new one', async () => {
  await writeFile(path, '');
  await (await openSqliteStore({ path })).close();
});

test('a closed store leaves one file', async () => {
  await written();
  await expect(stat(`${path}-wal`)).rejects.toThrow(/ENOENT/);
  expect((await readFile(path)).subarray(0, 15).toString()).toBe('SQLite format 3');
});

test('refuses a directory', async () => {
  expect(await refusal(directory)).toBe(
    `${directory} is a directory; give the path of a file in it, such as ${directory}/amends.db`,
  );
});

test.each(['', ':memory:', 'file:x.db'])('refuses %j, which is no path of a file', async (name) => {
  expect(await refusal(name)).toMatch(/does not name a file/);
});

test('refuses a path below a file', async () => {
  await writeFile(path, 'x');
  expect(await refusal(join(path, 'x.db'))).toMatch(/cannot be opened: .*check that its directory exists/);
});

test('refuses what is no database', async () => {
  await writeFile(path, 'this is a letter to my aunt, long enough to be taken for a database file by its size '.repeat(20));
  expect(await refusal()).toMatch(/it is not a SQLite database; give another path/);
  expect((await readFile(path)).subarray(0, 11).toString()).toBe('this is a l');
});

test('refuses the database of another program', async () => {
  alter('CREATE TABLE invoice (id INTEGER)');
  expect(await refusal()).toMatch(/is a SQLite database of another program/);
});

test('refuses a file that was cut off', async () => {
  await written();
  await truncate(path, 3 * 4_096);
  expect(await refusal()).toMatch(/damaged.*restore a backup/);
});

test('refuses a damaged schema and a damaged table', async () => {
  await written();
  const bytes = await readFile(path);
  await writeFile(path, Buffer.from(bytes).fill(0xff, 100, 4_096));
  expect(await refusal()).toMatch(/damaged/);
  await writeFile(path, Buffer.from(bytes).fill(0xff, 4_096));
  expect(await refusal()).toMatch(/damaged/);
});

test('refuses the schema of a newer version', async () => {
  await written();
  alter("INSERT INTO migration VALUES (99, 'sharded', 'abc', 0)");
  expect(await refusal()).toMatch(/has schema version 99 \(sharded\).*run the version of Amends that wrote it/);
});

test('refuses a migration whose text has changed', async () => {
  await written();
  alter("UPDATE migration SET checksum = 'f00'");
  expect(await refusal()).toMatch(/migration 1 \(first-schema\) was applied with another content/);
});

test('refuses a file that is in use, and opens it when that has ended', async () => {
  const store = await openSqliteStore({ path });
  expect(await refusal()).toMatch(/in use by another process; stop that one/);
  await store.commit([firstChange(gidOf('a'))]);
  await store.close();
  await (await openSqliteStore({ path })).close();
});

test('refuses a file that may not be written', async (context) => {
  if (process.getuid?.() === 0) return context.skip('permissions do not bind this user');
  await written();
  await chmod(path, 0o400);
  expect(await refusal()).toMatch(/read-only; make file and directory writable/);
});
