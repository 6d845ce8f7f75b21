/** Whatever moment a process is killed at: what it was told is there, and nothing is there by half. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Store, StoredTransaction } from '@amends/store';
import { gidOf } from '@amends/store/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from './open-sqlite-store.ts';

const program = new URL('../../tests/committing-process.mjs', import.meta.url).pathname;
let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-crash-'));
  path = join(directory, 'amends.db');
});
afterEach(() => rm(directory, { recursive: true }));

/** Kills the process when it has acknowledged so many batches. @returns the last batch that was acknowledged, or -1 */
async function killedAfter(acknowledged: number): Promise<number> {
  const child = start(10_000);
  let last = -1;
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line !== 'open') last = Number(line);
    if (last + 1 >= acknowledged) child.kill('SIGKILL');
  }
  return last;
}

function start(batches: number): ChildProcess {
  return spawn(process.execPath, [program, path, String(batches)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** All transactions of a batch, each checked to be whole. */
async function loadBatch(store: Store, batch: number): Promise<(StoredTransaction | null)[]> {
  const loaded = await store.load(Array.from({ length: 8 }, (_, n) => gidOf(`g-${batch}-${n}`)));
  for (const transaction of loaded) if (transaction !== null) await expectWhole(store, transaction);
  return [...loaded];
}

async function expectWhole(store: Store, { row, records, spec }: StoredTransaction): Promise<void> {
  const history = await store.history(row.gid, { afterSeq: 0, limit: 9 });
  expect(history.map((entry) => entry.seq)).toEqual(row.version === 1 ? [1] : [1, 2]);
  expect(records.map((record) => record.key)).toEqual(row.version === 1 ? ['first'] : ['first', 'second']);
  expect(spec.payloads).toHaveLength(5);
}

test.each([0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233])('killed after %i batches or a little later', async (count) => {
  const last = await killedAfter(count);
  expect(last).toBeGreaterThanOrEqual(count - 1);
  const store = await openSqliteStore({ path });
  for (let batch = 0; batch <= last; batch++) {
    const versions = (await loadBatch(store, batch)).map((transaction) => transaction?.row.version);
    if (batch < last) expect(versions, `batch ${batch}`).toEqual(Array(8).fill(2));
    else for (const version of versions) expect(version).toBeGreaterThanOrEqual(1);
  }
  // The batch that was under way is there as a whole or not at all.
  const underWay = (await loadBatch(store, last + 1)).map((transaction) => transaction?.row.version ?? 0);
  expect(new Set(underWay).size).toBe(1);
  const everything = (await store.list({ limit: 100_000 })).rows;
  expect(everything.reduce((sum, row) => sum + row.version, 0)).toBe((await store.audit({ limit: 100_000 })).length);
  expect((await store.ping()).facts).toHaveProperty('schemaVersion');
  await store.close();
});

test('a process whose store is closed ends by itself', async () => {
  const [code] = await once(start(3), 'exit');
  expect(code).toBe(0);
});

test('work of a killed process can be claimed as soon as the file is open again', async () => {
  await killedAfter(2);
  const store = await openSqliteStore({ path });
  const claimed = await store.claim({ node: 'next' as never, dueBefore: (Date.now() * 2) as never, limit: 5 });
  expect(claimed).toHaveLength(5);
  await store.close();
});
