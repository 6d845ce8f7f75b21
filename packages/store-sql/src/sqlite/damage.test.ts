/** What is damaged beside one transaction keeps no other from being read or claimed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs, nodeId } from '@amends/core';
import { type Store, unreadSpec } from '@amends/store';
import { firstChange, gidOf, sampleRow, sampleSpec, sampleTime } from '@amends/store/contract';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from './open-sqlite-store.ts';

const gids = ['before', 'hurt', 'after'].map(gidOf);
const pageBytes = 4_096;
const filling = 0xab;

let directory: string;
let path: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-damage-'));
  path = join(directory, 'amends.db');
  store = await openSqliteStore({ path });
  const big = new Uint8Array(10 * pageBytes).fill(filling);
  for (const gid of gids) {
    const spec = sampleSpec(gid === 'hurt' ? { payloads: big } : {});
    const records = [{ kind: 'answer', key: '01', content: Uint8Array.of(1) }];
    await store.commit([firstChange(gid, { owner: null }, { spec, records })]);
  }
  await store.close();
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

/** Makes a page of the big payload say that it goes on beyond the end of the file. */
async function breakChain(): Promise<void> {
  const bytes = await readFile(path);
  const isInside = (page: number) => bytes.subarray(page + 4, page + pageBytes).every((byte) => byte === filling);
  for (let page = 0; page < bytes.length; page += pageBytes)
    if (isInside(page)) {
      bytes.writeUInt32BE(0xffffff, page);
      return writeFile(path, bytes);
    }
  throw new Error('the payload lies elsewhere');
}

async function alterRecord(): Promise<void> {
  const db = new Database(path);
  const { changes } = db.prepare("UPDATE record SET content = x'02' WHERE tx_id = (SELECT id FROM tx WHERE gid = 'hurt')").run();
  expect(changes).toBe(1);
  db.close();
}

async function loseSpec(): Promise<void> {
  const db = new Database(path);
  db.exec("DELETE FROM spec WHERE tx_id = (SELECT id FROM tx WHERE gid = 'hurt')");
  db.close();
}

describe.each([
  ['a damaged spec', breakChain],
  ['a missing spec', loseSpec],
  ['a record that was altered', alterRecord],
])('of a transaction with %s', (_name, damage) => {
  beforeEach(async () => {
    await damage();
    store = await openSqliteStore({ path });
  });

  test('the row is read without it, among others that are whole', async () => {
    const hurt = { row: sampleRow(gidOf('hurt'), { owner: null }), spec: unreadSpec, records: [] };
    const loaded = await store.load([...gids, gidOf('none')]);
    expect(loaded.map((one) => one?.spec)).toEqual([sampleSpec(), unreadSpec, sampleSpec(), undefined]);
    expect(loaded[1]).toEqual(hurt);
    expect(await store.load([gidOf('hurt')])).toEqual([hurt]);
  });

  test('the row is claimed without it, among others that are whole, each once', async () => {
    const node = nodeId('me');
    const claimed = await store.claim({ node, dueBefore: sampleTime, limit: 9 });
    expect(claimed.map(({ row, spec }) => [row.gid, row.owner, row.epoch, spec]).toSorted()).toEqual(
      [
        ['before', node, 2, sampleSpec()],
        ['hurt', node, 2, unreadSpec],
        ['after', node, 2, sampleSpec()],
      ].toSorted(),
    );
    expect(await store.claim({ node, dueBefore: sampleTime, limit: 9 })).toEqual([]);
  });
});

test('what is damaged beside one transaction keeps no other from being deleted', async () => {
  await finishAll();
  await breakCell();
  store = await openSqliteStore({ path });
  const request = { status: 'succeed', finishedBefore: epochMs(sampleTime + 1), limit: 3 } as const;
  expect(await store.purge(request)).toEqual({ count: 2, more: true });
  expect(await store.purge({ ...request, limit: 1 })).toEqual({ count: 0, more: false });
  expect((await store.list({ limit: 9 })).rows.map(({ gid }) => gid)).toEqual(['hurt']);
});

async function finishAll(): Promise<void> {
  const db = new Database(path);
  db.exec(`UPDATE tx SET status = 'succeed', finished_at = ${sampleTime}, due_at = NULL, owner = NULL`);
  db.close();
}

/** Makes the row of the big payload say that it goes on beyond the end of the file. */
async function breakCell(): Promise<void> {
  const bytes = await readFile(path);
  const isInside = (page: number) => bytes.subarray(page + 4, page + pageBytes).every((byte) => byte === filling);
  const pages = Array.from({ length: bytes.length / pageBytes }, (_, index) => index * pageBytes);
  const inside = pages.filter(isInside);
  const followed = new Set(inside.map((page) => bytes.readUInt32BE(page)));
  const first = inside.map((page) => page / pageBytes + 1).find((number) => !followed.has(number))!;
  const pointer = Buffer.from([filling, filling, 0, 0, 0, 0]);
  pointer.writeUInt32BE(first, 2);
  const at = bytes.indexOf(pointer);
  expect(at).toBeGreaterThan(0);
  bytes.writeUInt32BE(0xffffff, at + 2);
  await writeFile(path, bytes);
}

test('a broken page with the specs of many keeps none of the others from being claimed', async () => {
  store = await openSqliteStore({ path });
  const many = Array.from({ length: 200 }, (_, index) => gidOf(`many-${index}`));
  await store.commit(many.map((gid) => firstChange(gid, { owner: null }, { spec: sampleSpec() })));
  await store.close();
  await breakLeafOfSpecs();
  store = await openSqliteStore({ path });
  const claimed = await store.claim({ node: nodeId('anyone'), dueBefore: sampleTime, limit: 500 });
  expect(new Set(claimed.map(({ row }) => row.gid))).toEqual(new Set([...many, ...gids]));
  expect(claimed.some(({ spec }) => spec === unreadSpec)).toBe(true);
  expect(claimed.some(({ spec }) => spec !== unreadSpec)).toBe(true);
});

/** Wipes out a page in the middle of the table of specs: the first and the last are looked at when the file is opened. */
async function breakLeafOfSpecs(): Promise<void> {
  const bytes = await readFile(path);
  const leaf = 0x0d;
  const plan = Buffer.from(sampleSpec().digest);
  const pages = Array.from({ length: bytes.length / pageBytes }, (_, index) => index * pageBytes);
  const found = pages.filter((at) => bytes[at] === leaf && bytes.subarray(at, at + pageBytes).includes(plan));
  const [, page] = found;
  bytes.fill(0, page, page! + pageBytes);
  await writeFile(path, bytes);
}
