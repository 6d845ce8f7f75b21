/** Ping, close, and what is still there after opening again. */
import { epochMs, isAmendsError, nodeId } from '@amends/core';
import { expect, type TestContext } from 'vitest';
import type { StoreTest, Subject } from './harness.ts';
import { firstChange, gidOf, nextChange, sampleAudit, sampleRow, sampleTime } from './samples.ts';

const gid = gidOf('one');
const node = nodeId('me');

/** Skips the test where nothing survives the process. */
function needsDurable({ store, reopen }: Subject, context: TestContext): void {
  if (!store.capabilities.durable) context.skip('this store ends with its process');
  expect(reopen, 'a durable store can be reopened').toBeDefined();
}

/** Declares the topic. */
export function lifeCycleContract(test: StoreTest): void {
  test('ping tells how the store is', async ({ store }) => {
    const { latencyMs, facts } = await store.ping();
    expect(latencyMs).toBeGreaterThanOrEqual(0);
    expect(Object.keys(facts).length).toBeGreaterThan(0);
  });

  test('close is idempotent and every other call rejects after it', async ({ store }) => {
    await store.close();
    await store.close();
    const calls = [
      () => store.commit([firstChange(gid)]),
      () => store.load([gid]),
      () => store.claim({ node, dueBefore: sampleTime, limit: 1 }),
      () => store.list({ limit: 1 }),
      () => store.history(gid, { afterSeq: 0, limit: 1 }),
      () => store.heartbeat({ node, ttlMs: 1, name: '' }),
      () => store.nodes(),
      () => store.documents('topic'),
      () => store.audit({ limit: 1 }),
      () => store.purge({ status: 'succeed', finishedBefore: sampleTime, limit: 1 }),
      () => store.ping(),
    ];
    for (const call of calls)
      await expect(call(), String(call)).rejects.toSatisfy((error) => isAmendsError(error, 'store_unavailable'));
  });

  test('close finishes what was begun', async (subject, context) => {
    needsDurable(subject, context);
    const committed = subject.store.commit(Array.from({ length: 50 }, (_, n) => firstChange(gidOf(`g${n}`))));
    const again = await subject.reopened();
    expect((await committed).map((answer) => answer.fate)).toEqual(Array(50).fill('applied'));
    expect((await again.store.list({ limit: 100 })).rows).toHaveLength(50);
  });

  test('what was written is there after opening again', async (subject, context) => {
    needsDurable(subject, context);
    const documents = [{ kind: 'topic', key: 't', expectedVersion: 0, content: '{}' }];
    const records = [{ kind: 'result', key: 'r', content: Uint8Array.from([0, 1]) }];
    await subject.applied(firstChange(gid, {}, { documents, records, audit: [sampleAudit(gid)] }));
    const before = await subject.loadOne(gid);
    const again = await subject.reopened();
    expect(await again.loadOne(gid)).toEqual(before);
    expect(await again.historyOf(gid)).toHaveLength(1);
    expect(await again.store.documents('topic')).toHaveLength(1);
    expect(await again.store.audit({ limit: 9 })).toHaveLength(1);
    await again.applied(nextChange(sampleRow(gid)));
  });

  test('time does not go back when the host clock was set back before opening again', async (subject, context) => {
    needsDurable(subject, context);
    const beat = { node, ttlMs: 1_000, name: 'host' };
    const before = await subject.store.heartbeat(beat);
    const again = await subject.reopened(-3_600_000);
    const after = await again.store.heartbeat(beat);
    expect(after).toBeGreaterThanOrEqual(before);
    if (again.passTime === undefined) return;
    again.passTime(500);
    expect(await again.store.heartbeat(beat)).toBe(epochMs(after + 500));
  });
}
