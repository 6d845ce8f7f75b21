/** Purging what is finished. */
import { epochMs } from '@amends/core';
import { expect } from 'vitest';
import type { StoreTest } from './harness.ts';
import { finished, firstChange, gidOf, sampleAudit, sampleHistory, sampleTime } from './samples.ts';

/** A transaction created and finished at the same moment. */
function over(ms: number, gid: string, status: 'succeed' | 'failed' = 'succeed') {
  const at = epochMs(sampleTime + ms);
  const records = [{ kind: 'result', key: 'r', content: Uint8Array.from([1]) }];
  return firstChange(gidOf(gid), { createdAt: at, ...finished(at), status }, { records, audit: [sampleAudit(gidOf(gid))] });
}

/** Declares the topic. */
export function purgeContract(test: StoreTest): void {
  test('deletes the oldest finished ones with all they have, except audit', async ({ store, applied }) => {
    await applied(over(2, 'b'), over(1, 'a'), over(3, 'c'), firstChange(gidOf('running')), over(9, 'young'));
    const finishedBefore = epochMs(sampleTime + 4);
    const more = await store.purge({ status: 'succeed', finishedBefore, limit: 2 });
    expect(more).toEqual({ count: 2, more: true });
    expect((await store.list({ limit: 9 })).rows.map((row) => row.gid)).toEqual(['young', 'c', 'running']);
    expect(await store.purge({ status: 'succeed', finishedBefore, limit: 2 })).toEqual({ count: 1, more: false });
    expect(await store.purge({ status: 'succeed', finishedBefore, limit: 2 })).toEqual({ count: 0, more: false });
    expect(await store.load([gidOf('a')])).toEqual([null]);
    expect(await store.history(gidOf('a'), { afterSeq: 0, limit: 9 })).toEqual([]);
    expect(await store.audit({ gid: gidOf('a'), limit: 9 })).toHaveLength(1);
  });

  test('a history of thousands of rows goes whole', async ({ store, applied }) => {
    const long = over(0, 'long');
    await applied({ ...long, history: Array.from({ length: 2_500 }, (_, index) => sampleHistory(index + 1)) });
    const purged = await store.purge({ status: 'succeed', finishedBefore: epochMs(sampleTime + 1), limit: 9 });
    expect(purged.count).toBe(1);
    await applied(firstChange(gidOf('long')));
    expect(await store.history(gidOf('long'), { afterSeq: 0, limit: 9 })).toHaveLength(1);
  });

  test('a purged gid may begin anew', async ({ store, applied, loadOne }) => {
    await applied(over(0, 'a'));
    await store.purge({ status: 'succeed', finishedBefore: epochMs(sampleTime + 1), limit: 9 });
    await applied(firstChange(gidOf('a')));
    expect((await loadOne(gidOf('a'))).records).toEqual([]);
  });

  test('the moment itself is not before the moment', async ({ store, applied }) => {
    await applied(over(0, 'a'));
    expect(await store.purge({ status: 'succeed', finishedBefore: sampleTime, limit: 9 })).toEqual({ count: 0, more: false });
  });

  test('those that ended otherwise stay, and what runs stays whatever its age', async ({ store, applied }) => {
    await applied(over(1, 'done'), over(1, 'undone', 'failed'), firstChange(gidOf('held'), { dueAt: null, hold: 'spent' }));
    const before = epochMs(sampleTime + 1_000_000);
    expect(await store.purge({ status: 'failed', finishedBefore: before, limit: 9 })).toEqual({ count: 1, more: false });
    expect((await store.list({ limit: 9 })).rows.map((row) => row.gid).toSorted()).toEqual(['done', 'held']);
    expect(await store.purge({ status: 'succeed', finishedBefore: before, limit: 9 })).toEqual({ count: 1, more: false });
    expect((await store.list({ limit: 9 })).rows.map((row) => row.gid)).toEqual(['held']);
  });
}
