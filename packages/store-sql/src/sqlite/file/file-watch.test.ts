/** The database is deleted or replaced while it is open. */
import { copyFileSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAmendsError, type NodeId } from '@amends/core';
import type { Store } from '@amends/store';
import { firstChange, gidOf } from '@amends/store/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';

let folder: string;
let path: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amends-watch-'));
  path = join(folder, 'amends.db');
  store = await openSqliteStore({ path });
  await store.commit([firstChange(gidOf('before'))]);
});
afterEach(async () => {
  await store.close().catch(() => {});
  rmSync(folder, { recursive: true });
});

const beat = () => store.heartbeat({ node: 'n' as NodeId, name: 'n', ttlMs: 1_000 });

/** Nothing is acknowledged any more, and the reason is the same wherever it is met. */
async function expectNothingStored(message: RegExp): Promise<void> {
  for (const attempt of [() => store.commit([firstChange(gidOf('after'))]), () => store.ping(), beat]) {
    const error = await attempt().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toSatisfy((thrown) => isAmendsError(thrown, 'store_unavailable'));
    expect(String(error)).toMatch(message);
  }
}

test('what is deleted is written no more, but goes on once it is back', async () => {
  renameSync(path, `${path}.away`);
  await expectNothingStored(/amends\.db has been deleted while it was open: nothing more is stored\. Put back/);
  renameSync(`${path}.away`, path);
  await expect(store.commit([firstChange(gidOf('after'))])).resolves.toEqual([{ fate: 'applied' }]);
});

test('what is replaced by another file, as by a restored backup, is written no more', async () => {
  copyFileSync(path, `${path}.backup`);
  renameSync(`${path}.backup`, path);
  await expectNothingStored(/amends\.db has been replaced while it was open/);
});

test('the log of writes counts as the database: what is only in it would be lost', async () => {
  unlinkSync(`${path}-wal`);
  await expectNothingStored(/amends\.db-wal has been deleted/);
  writeFileSync(`${path}-wal`, '');
  await expectNothingStored(/amends\.db-wal has been replaced/);
});
