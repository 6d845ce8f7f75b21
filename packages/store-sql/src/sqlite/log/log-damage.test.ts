/**
 * A process is killed at any moment; what was answered for is then in the file and its write-ahead log. Whoever takes some
 * of that away is found out; whatever a crash alone can leave is not mistaken for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isAmendsError } from '@amends/core';
import { firstChange, gidOf } from '@amends/store/contract';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openSqliteStore, type SqliteStore } from '../open-sqlite-store.ts';
import type { SqliteStoreOptions } from '../sqlite-session.ts';
import { readLog } from './write-ahead-log.ts';

const program = new URL('../../../tests/committing-process.mjs', import.meta.url).pathname;
const batchesAnswered = 12;
const pageBytes = 24 + 4_096;
let killed: string;
let directory: string;
let path: string;
let wal: string;

beforeAll(async () => {
  killed = await mkdtemp(join(tmpdir(), 'amends-killed-'));
  const child = spawn(process.execPath, [program, join(killed, 'amends.db'), '10000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await killedWhenAnswered(child);
});
afterAll(() => rm(killed, { recursive: true }));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-damage-'));
  await cp(killed, directory, { recursive: true });
  path = join(directory, 'amends.db');
  wal = `${path}-wal`;
});
afterEach(() => rm(directory, { recursive: true }));

async function killedWhenAnswered(child: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: child.stdout! })) if (Number(line) >= batchesAnswered) child.kill('SIGKILL');
}

async function refusal(): Promise<string> {
  const before = await contents();
  const error = await openSqliteStore({ path }).then(
    () => new Error('it was opened'),
    (thrown: unknown) => thrown,
  );
  expect(error).toSatisfy((thrown) => isAmendsError(thrown, 'store_refused'));
  expect(await contents()).toEqual(before);
  return (error as Error).message;
}

async function contents(): Promise<Record<string, string>> {
  const names = (await readdir(directory)).toSorted();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await digest(join(directory, name))])));
}

async function digest(file: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', await readFile(file))).toString('hex');
}

async function opened(options: Partial<SqliteStoreOptions> = {}): Promise<number> {
  const store = await openSqliteStore({ path, ...options });
  const { length } = await all(store);
  await store.close();
  return length;
}

async function all(store: SqliteStore): Promise<readonly unknown[]> {
  return (await store.list({ limit: 100_000 })).rows;
}

async function damagePage(number: number): Promise<void> {
  const bytes = await readFile(wal);
  bytes[32 + (number - 1) * pageBytes + 2_000]! ^= 1;
  await writeFile(wal, bytes);
}

const whole = () => readLog(join(killed, 'amends.db-wal'));

test('what a kill leaves behind is opened with all that was answered for', async () => {
  expect(await opened()).toBeGreaterThanOrEqual((batchesAnswered + 1) * 8);
  expect(await readdir(directory)).toEqual(['amends.db']);
});

test('a log with damage anywhere is refused, with how much is missing, and nothing is touched', async () => {
  const { sound } = whole();
  for (const page of [1, 2, Math.floor(sound / 2), sound - 30]) {
    await damagePage(page);
    expect(await refusal(), `page ${page}`).toMatch(
      /amends\.db-wal is damaged after its page \d+, with \d+ more pages behind that: \d+ commits that were answered cannot be read\. .*put back the log if you have it, or restore a backup.*--accept-damaged-log/,
    );
    await copyFile(join(killed, 'amends.db-wal'), wal);
  }
  expect(await opened()).toBeGreaterThan(0);
});

test('without a witness, damage in the middle shows by the transactions behind it', async () => {
  await rm(`${path}-witness`);
  await damagePage(Math.floor(whole().sound / 2));
  expect(await refusal()).toMatch(/: at least \d+ commits that were answered cannot be read/);
});

test.each([
  [
    'cut short',
    async () => truncate(wal, 32 + Math.floor(whole().sound / 2) * pageBytes),
    /ends after its page \d+: \d+ commits/,
  ],
  ['emptied', () => truncate(wal, 0), /has been emptied: \d+ commits that were answered/],
  ['missing', () => rm(wal), /amends\.db-wal is missing: \d+ commits that were answered/],
  [
    'overwritten at its beginning',
    async () => writeFile(wal, (await readFile(wal)).fill(0, 0, 32)),
    /is damaged at its beginning/,
  ],
])('a log that is %s is refused', async (_what, harm, words) => {
  await harm();
  expect(await refusal()).toMatch(words);
});

test('what is lost is given up when that is said: the rest is there, and a copy of the log', async () => {
  await damagePage(Math.floor(whole().sound / 2));
  const damaged = await digest(wal);
  const notes: string[] = [];
  const store = await openSqliteStore({ path, acceptDamagedLog: true, onNote: (words) => notes.push(words) });
  expect(notes).toEqual([
    expect.stringMatching(/is damaged after its page .* given up as told; the log as it was is kept as .*-wal\.damaged-\d+/),
  ]);
  const kept = (await readdir(directory)).find((name) => name.includes('.damaged'))!;
  expect(await digest(join(directory, kept))).toBe(damaged);
  const left = await all(store);
  expect(left.length).toBeGreaterThan(0);
  expect(left.length).toBeLessThan(batchesAnswered * 8);
  await store.commit([firstChange(gidOf('after'))]);
  await store.close();
  expect(await opened()).toBe(left.length + 1);
});

test('saying so of a sound log changes nothing', async () => {
  const notes: string[] = [];
  const count = await opened({ acceptDamagedLog: true, onNote: (words) => notes.push(words) });
  expect(count).toBeGreaterThanOrEqual(batchesAnswered * 8);
  expect(notes).toEqual([]);
});

/** A log as after a power failure in the middle of a transaction that nobody was told of. */
async function torn(harm: (bytes: Buffer, firstPage: number, lastPage: number) => void): Promise<void> {
  const store = await openSqliteStore({ path });
  await store.commit(Array.from({ length: 40 }, (_, n) => firstChange(gidOf(`torn-${n}`))));
  await cp(wal, `${path}-later`);
  await store.close();
  const later = `${path}-later`;
  const { sound } = readLog(later);
  const bytes = await readFile(later);
  const ends = Array.from({ length: sound }, (_, n) => n + 1).filter((page) => bytes.readUInt32BE(pageAt(page) + 4) > 0);
  await rm(directory, { recursive: true });
  await cp(killed, directory, { recursive: true });
  harm(bytes, ends.at(-2)! + 1, sound);
  await writeFile(wal, bytes);
}

test.each([
  ['its first page lost', (bytes: Buffer, first: number) => bytes.fill(0, pageAt(first), pageAt(first + 1))],
  [
    'a page in the middle lost',
    (bytes: Buffer, _first: number, last: number) => bytes.fill(0, pageAt(last - 3), pageAt(last - 2)),
  ],
  [
    'its last page half written',
    (bytes: Buffer, _first: number, last: number) => bytes.fill(0, pageAt(last) + 512, pageAt(last + 1)),
  ],
])('a last transaction that nobody was told of, with %s, is no damage', async (_what, harm) => {
  await torn(harm);
  const store = await openSqliteStore({ path });
  expect(await store.load([gidOf('torn-0')])).toEqual([null]);
  expect((await all(store)).length).toBeGreaterThanOrEqual((batchesAnswered + 1) * 8);
  await store.close();
});

function pageAt(number: number): number {
  return 32 + (number - 1) * pageBytes;
}

test('a log that was begun again after everything in it had been carried over is no damage', async () => {
  const store = await openSqliteStore({ path });
  for (let n = 0; n < 60; n += 1) await store.commit(Array.from({ length: 100 }, (_, m) => firstChange(gidOf(`many-${n}-${m}`))));
  const count = (await all(store)).length;
  await cp(directory, `${directory}-copy`, { recursive: true });
  await store.close();
  const copied = await openSqliteStore({ path: join(`${directory}-copy`, 'amends.db') });
  expect((await all(copied)).length).toBe(count);
  await copied.close();
  await rm(`${directory}-copy`, { recursive: true });
});

test('a process that ends without closing its store leaves a file that opens', async () => {
  const script = `
    const { openSqliteStore } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)});
    const store = await openSqliteStore({ path: ${JSON.stringify(path)} });
    await store.ping();
    process.exit(0);`;
  const [code] = await once(spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }), 'exit');
  expect(code).toBe(0);
  expect(await readdir(directory)).toEqual(['amends.db', 'amends.db-witness']);
  expect(await opened()).toBeGreaterThanOrEqual(batchesAnswered * 8);
});

test('a backup put back over a file whose process was killed is no damage, whatever its witness has seen', async () => {
  const store = await openSqliteStore({ path });
  const file = join(directory, 'backup.db');
  await store.backUp(file);
  await store.commit([firstChange(gidOf('later'))]);
  await cp(`${path}-witness`, `${path}-kept`);
  await store.close();
  await cp(`${path}-kept`, `${path}-witness`);
  await cp(file, path);
  expect(await opened()).toBeGreaterThanOrEqual(batchesAnswered * 8);
});

test('a file in use is said to be in use, whatever its log looks like from outside', async () => {
  const store = await openSqliteStore({ path });
  await store.commit([firstChange(gidOf('a'))]);
  await expect(openSqliteStore({ path })).rejects.toThrow(/in use by another process/);
  expect((await stat(wal)).size).toBeGreaterThan(0);
  await store.close();
});

test('a file that is damaged beside its log is refused before anything is written', async () => {
  const logHeaderBytes = 32;
  await truncate(wal, logHeaderBytes);
  await rm(`${path}-witness`);
  await writeFile(path, (await readFile(path)).fill(0xff, 4_096));
  expect(await refusal()).toMatch(/amends\.db cannot be opened: it is damaged/);
});

test.each([
  ['whole', async () => {}],
  ['missing', () => rm(wal)],
])('a stray rollback journal beside a log that is %s is refused by its name', async (_what, lose) => {
  await lose();
  await writeFile(`${path}-journal`, '');
  expect(await refusal()).toMatch(/amends\.db-journal is there, .*Move it away/);
});
