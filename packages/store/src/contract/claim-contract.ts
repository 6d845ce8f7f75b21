/** Claiming work that nobody does; heartbeats; the store's time. */
import { epochMs, nodeId, stateFormat } from '@amends/core';
import { expect } from 'vitest';
import type { Store } from '../store.ts';
import type { StoreTest } from './harness.ts';
import { finished, firstChange, gidOf, nextChange, sampleNode, sampleRow, sampleSpec, sampleTime } from './samples.ts';

const me = nodeId('me');
const other = nodeId('other');

async function claimFor(store: Store, node = me, limit = 100): Promise<string[]> {
  const claimed = await store.claim({ node, dueBefore: sampleTime, limit });
  return claimed.map((one) => one.row.gid);
}

function live(store: Store, node = other, ttlMs = 60_000) {
  return store.heartbeat({ node, ttlMs, name: `host of ${node}` });
}

/** Declares the topic. */
export function claimContract(test: StoreTest): void {
  choice(test);
  rivals(test);
  membership(test);
}

function choice(test: StoreTest): void {
  test('takes what nobody owns, longest due first, as it is afterwards', async ({ store, applied, loadOne }) => {
    const due = (ms: number) => ({ owner: null, dueAt: epochMs(sampleTime - ms) });
    await applied(firstChange(gidOf('a'), due(1)), firstChange(gidOf('b'), due(3)), firstChange(gidOf('c'), due(2)));
    const [first, second] = await store.claim({ node: me, dueBefore: sampleTime, limit: 2 });
    const row = sampleRow(gidOf('b'), { ...due(3), owner: me, epoch: 2, version: 2 });
    expect(first).toEqual({ row, spec: sampleSpec(), records: [] });
    expect(second?.row.gid).toBe('c');
    expect(await loadOne(gidOf('b'))).toEqual(first);
    await applied(nextChange(row, { reason: 'mine now' }));
  });

  test('leaves alone what is not due, finished or held', async ({ store, applied }) => {
    await applied(
      firstChange(gidOf('later'), { owner: null, dueAt: epochMs(sampleTime + 1) }),
      firstChange(gidOf('over'), finished(sampleTime)),
      firstChange(gidOf('held'), { owner: null, dueAt: null, hold: 'attempts-exhausted' }),
      firstChange(gidOf('now'), { owner: null, dueAt: sampleTime }),
    );
    expect(await claimFor(store)).toEqual(['now']);
  });

  test('takes the work of the dead, not of the living and not its own', async ({ store, applied }) => {
    await live(store, other);
    await applied(
      firstChange(gidOf('dead'), { owner: sampleNode }),
      firstChange(gidOf('living'), { owner: other }),
      firstChange(gidOf('own'), { owner: me }),
    );
    expect(await claimFor(store)).toEqual(['dead']);
    expect(await claimFor(store)).toEqual([]);
  });

  test('takes its own too, but for what it drives, when an answer may have been lost', async ({ store, applied, loadOne }) => {
    await live(store, me);
    await live(store, other);
    await applied(
      firstChange(gidOf('driven'), { owner: me }),
      firstChange(gidOf('living'), { owner: other }),
      firstChange(gidOf('not due'), { owner: me, dueAt: epochMs(sampleTime + 1) }),
      firstChange(gidOf('lost'), { owner: null, dueAt: epochMs(sampleTime - 1) }),
    );
    expect(await claimFor(store)).toEqual(['lost']);
    expect(await claimFor(store)).toEqual([]);
    const again = await store.claim({ node: me, dueBefore: sampleTime, limit: 9, driven: [gidOf('driven'), gidOf('none')] });
    const lost = { owner: me, dueAt: epochMs(sampleTime - 1), epoch: 3, version: 3 };
    expect(again.map(({ row }) => row)).toEqual([sampleRow(gidOf('lost'), lost)]);
    expect(await loadOne(gidOf('lost'))).toEqual(again[0]);
    expect((await loadOne(gidOf('driven'))).row.version).toBe(1);
    const all = await store.claim({ node: me, dueBefore: sampleTime, limit: 9, driven: [] });
    expect(all.map(({ row }) => row.gid)).toEqual(['lost', 'driven']);
  });

  test('formats newer than this version are left alone', async ({ store, applied }) => {
    await applied(
      firstChange(gidOf('row'), { owner: null, format: stateFormat + 1 }),
      firstChange(gidOf('spec'), { owner: null }, { spec: sampleSpec({ format: 99 }) }),
      firstChange(gidOf('known'), { owner: null }),
    );
    expect(await claimFor(store)).toEqual(['known']);
  });

  test('brings the records along', async ({ store, applied }) => {
    const records = [{ kind: 'branch', key: '01', content: Uint8Array.from([1, 0, 2]) }];
    await applied(firstChange(gidOf('a'), { owner: null }, { records }));
    expect((await store.claim({ node: me, dueBefore: sampleTime, limit: 9 }))[0]?.records).toEqual(records);
  });
}

function rivals(test: StoreTest): void {
  test('of two nodes that claim at once, one gets each', async ({ store, applied }) => {
    await live(store, me);
    await live(store, other);
    const gids = Array.from({ length: 50 }, (_, n) => gidOf(`g${String(n).padStart(2, '0')}`));
    await applied(...gids.map((gid) => firstChange(gid, { owner: null })));
    const shares = await Promise.all([claimFor(store, me, 30), claimFor(store, other, 30), claimFor(store, me, 30)]);
    const left = await claimFor(store, me, 100);
    expect([...shares.flat(), ...left].toSorted()).toEqual(gids);
  });

  test('the commit of a former owner is a conflict after a claim', async ({ store, applied, commitOne, loadOne }) => {
    await applied(firstChange(gidOf('a')));
    expect(await claimFor(store)).toEqual(['a']);
    expect(await commitOne(nextChange(sampleRow(gidOf('a')), { reason: 'zombie' }))).toEqual({ fate: 'conflict' });
    expect((await loadOne(gidOf('a'))).row).toMatchObject({ owner: me, epoch: 2, version: 2, reason: '' });
  });
}

function membership(test: StoreTest): void {
  test('a node that says goodbye is dead at once', async ({ store, applied }) => {
    await live(store, other);
    await applied(firstChange(gidOf('a'), { owner: other }));
    expect(await claimFor(store)).toEqual([]);
    await live(store, other, 0);
    expect(await claimFor(store)).toEqual(['a']);
  });

  test('a node without heartbeat is dead when its time to live is over', async ({ store, applied, passTime }, context) => {
    if (passTime === undefined) return context.skip('time of this store cannot be moved by a test');
    await live(store, other, 5_000);
    await applied(firstChange(gidOf('a'), { owner: other }));
    passTime(4_999);
    expect(await claimFor(store)).toEqual([]);
    passTime(1);
    expect(await claimFor(store)).toEqual(['a']);
  });

  test('the living are listed with their names, since when and until when', async ({ store }) => {
    const began = await live(store, other, 60_000);
    await live(store, me, 0);
    const again = await live(store, other, 70_000);
    expect(await store.nodes()).toEqual([
      { node: other, name: 'host of other', startedAt: began, aliveUntil: epochMs(again + 70_000) },
    ]);
  });

  test('time goes on and never back', async ({ store, passTime }) => {
    const first = await live(store);
    passTime?.(250);
    const second = await live(store);
    expect(second).toBeGreaterThanOrEqual(first + (passTime === undefined ? 0 : 250));
    passTime?.(-1_000);
    expect(await live(store)).toBeGreaterThanOrEqual(second);
  });
}
