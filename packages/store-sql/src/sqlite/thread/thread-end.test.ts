/** The thread ends before its time. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { type AmendsError, isAmendsError } from '@amends/core';
import { firstChange, gidOf } from '@amends/store/contract';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';

test('commits under way are unknown, everything else is unavailable, and close still works', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'amends-thread-'));
  const started = once(process, 'worker') as Promise<[Worker]>;
  const losses: AmendsError[] = [];
  const store = await openSqliteStore({ path: join(directory, 'amends.db'), onLost: (error) => losses.push(error) });
  const [worker] = await started;
  const unavailable = (error: unknown) => isAmendsError(error, 'store_unavailable');
  // So many that the thread is still at it when it is told to end.
  const changes = Array.from({ length: 1_000 }, (_, n) => firstChange(gidOf(`g${n}`)));
  const committed = store.commit(changes);
  const loaded = store.load([gidOf('a')]);
  const expectations = Promise.all([
    expect(committed).resolves.toEqual(changes.map(() => ({ fate: 'unknown' }))),
    expect(loaded).rejects.toSatisfy(unavailable),
  ]);
  await worker.terminate();
  await expectations;
  expect(losses.map(({ code }) => code)).toEqual(['store_unavailable']);
  await expect(store.ping()).rejects.toThrow(/ended unexpectedly; restart the process/);
  await expect(store.commit([firstChange(gidOf('c'))])).rejects.toSatisfy(unavailable);
  await store.close();
  await rm(directory, { recursive: true });
});
