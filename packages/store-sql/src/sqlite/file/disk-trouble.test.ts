/** A disk that is full or read-only, shown on a small file system of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAmendsError } from '@amends/core';
import type { Store } from '@amends/store';
import { firstChange, gidOf, nextChange, sampleSpec } from '@amends/store/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'amends-disk-'));
const mounted = mount('size=2m');

function mount(options: string): boolean {
  return spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' }).status === 0;
}

afterAll(() => {
  if (mounted) spawnSync('/bin/umount', [directory]);
  rmdirSync(directory);
});

const bulky = sampleSpec({ payloads: new Uint8Array(100_000).fill(7) });

/** Commits until the disk is full. @returns how many were applied */
async function fill(store: Store): Promise<number> {
  for (let n = 0; ; n++) {
    const error = await store.commit([firstChange(gidOf(`g${n}`), {}, { spec: bulky })]).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (error === null) continue;
    expect(error).toSatisfy((thrown) => isAmendsError(thrown, 'store_unavailable'));
    expect(String(error)).toMatch(/amends\.db cannot be used now: .*check disk space/);
    return n;
  }
}

describe.skipIf(!mounted)(`on a small disk${mounted ? '' : ' (skipped: this user may not mount one)'}`, () => {
  let store: Store;
  const path = join(directory, 'amends.db');
  beforeAll(async () => {
    store = await openSqliteStore({ path });
  });

  test('when it is full nothing is lost, nothing is half there, and it goes on once there is room', async () => {
    const count = await fill(store);
    expect(count).toBeGreaterThan(3);
    const batch = ['x', 'y'].map((gid) => firstChange(gidOf(gid), {}, { spec: bulky }));
    await expect(store.commit(batch)).rejects.toSatisfy((error) => isAmendsError(error, 'store_unavailable'));
    expect(await store.load([gidOf('x'), gidOf('y'), gidOf(`g${count}`)])).toEqual([null, null, null]);
    expect((await store.list({ limit: 100 })).rows).toHaveLength(count);
    expect(mount('remount,size=8m')).toBe(true);
    await store.ping();
    expect(await store.commit(batch)).toEqual([{ fate: 'applied' }, { fate: 'applied' }]);
    expect(await store.commit([nextChange(batch[0]!.row)])).toEqual([{ fate: 'applied' }]);
    await store.close();
    store = await openSqliteStore({ path });
    expect((await store.list({ limit: 100 })).rows).toHaveLength(count + 2);
    await store.close();
  });

  test('when it is read-only the file is refused', async () => {
    expect(mount('remount,ro')).toBe(true);
    await expect(openSqliteStore({ path })).rejects.toThrow(/it is read-only; make file and directory writable/);
  });
});
