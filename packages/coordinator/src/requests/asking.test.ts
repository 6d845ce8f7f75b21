import { type BranchId, defaultRetry, epochMs, type Gid, parseGid, type RegisteredBranch, type TccSpec } from '@amends/core';
import { decorated, openMemoryStore, type Store } from '@amends/store';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Coordinator } from '../coordinator.ts';
import { createCoordinator } from '../create-coordinator.ts';

const gid = parseGid('transfer');

const tcc: TccSpec = {
  mode: 'tcc',
  payloads: [],
  callTimeoutMs: 1_000,
  retry: defaultRetry,
  timeoutMs: 3_600_000,
  timeoutReason: '',
  alarmAfterMs: null,
  headers: {},
  face: 'native',
  trace: null,
  presentation: {},
};

function branch(branchId: string, host = 'bank'): RegisteredBranch {
  const url = `http://${host}/${branchId}`;
  return { kind: 'participant', branchId: branchId as BranchId, forward: url, backward: url, payload: new Uint8Array() };
}

/** A node of several on one store, all of which read the same clock, which stands still. */
async function node(store: Store): Promise<Coordinator> {
  const clock = { now: () => epochMs(1_000_000) };
  const amends = createCoordinator({ store, clock });
  onTestFinished(() => amends.stop({ graceMs: 0 }));
  await amends.start();
  return amends;
}

async function registeredIn(store: Store, of: Gid): Promise<number> {
  const [stored] = await store.load([of]);
  return stored!.records.length;
}

test('two nodes that take a branch each in the same millisecond both keep it (DRIVE-3)', async () => {
  const store = openMemoryStore({ now: () => 1_000_000 });
  const [one, other] = [await node(store), await node(store)];
  await one.prepare({ gid, spec: tcc });
  const answers = await Promise.all([
    one.request(gid, { type: 'registered', branch: branch('01') }),
    other.request(gid, { type: 'registered', branch: branch('02') }),
  ]);
  expect(answers.map(({ verdict }) => verdict)).toEqual(['taken', 'taken']);
  expect(await registeredIn(store, gid)).toBe(2);
});

test('while a commit is outstanding nothing is answered; what comes meanwhile is decided together after it (DRIVE-1, DRIVE-2)', async () => {
  const real = openMemoryStore();
  const recorded: number[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const store = decorated(real, {
    async commit(changes) {
      for (const change of changes) if ('records' in change) recorded.push(change.records.length);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return real.commit(changes);
    },
  });
  const amends = await node(store);
  const prepared = amends.prepare({ gid, spec: tcc });
  await vi.waitFor(() => expect(gates).toHaveLength(1));
  gates[0]!.resolve();
  await prepared;
  const answered: string[] = [];
  const register = async (id: string) => {
    await amends.request(gid, { type: 'registered', branch: branch(id) });
    answered.push(id);
  };
  const first = register('01');
  await vi.waitFor(() => expect(gates).toHaveLength(2));
  const others = Promise.all([register('02'), register('03')]);
  await new Promise(setImmediate);
  expect([gates.length, answered]).toEqual([2, []]);
  gates[1]!.resolve();
  await first;
  await vi.waitFor(() => expect(gates).toHaveLength(3));
  expect(answered).toEqual(['01']);
  gates[2]!.resolve();
  await others;
  expect(recorded).toEqual([0, 1, 2]);
});

test('a branch whose commit has an unknown fate is not taken for the one that another node has stored meanwhile', async () => {
  const store = openMemoryStore({ now: () => 1_000_000 });
  const other = await node(store);
  let commits = 0;
  const commit: Store['commit'] = async (changes) => {
    commits += 1;
    if (commits !== 1) return store.commit(changes);
    await other.request(gid, { type: 'registered', branch: branch('02') });
    return changes.map(() => ({ fate: 'unknown' }) as const);
  };
  await other.prepare({ gid, spec: tcc });
  const one = await node(decorated(store, { commit }));
  const answer = await one.request(gid, { type: 'registered', branch: branch('01') });
  expect(answer.verdict).toBe('taken');
  expect(await registeredIn(store, gid)).toBe(2);
});

test('a branch whose address may not be called leaves nothing in memory', async () => {
  const store = openMemoryStore();
  const [one, other] = [await node(store), await node(store)];
  await one.prepare({ gid, spec: tcc });
  const refused = other.request(gid, { type: 'registered', branch: branch('01', '169.254.169.254') });
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
  expect((await other.health()).live).toBe(0);
});

test('a request that changes nothing, made at another node, disturbs nobody', async () => {
  const store = openMemoryStore();
  const [one, other] = [await node(store), await node(store)];
  await one.prepare({ gid, spec: tcc });
  await one.request(gid, { type: 'registered', branch: branch('01') });
  const [before] = await store.load([gid]);
  const repeated = await other.request(gid, { type: 'registered', branch: branch('01') });
  const different = await other.request(gid, { type: 'registered', branch: branch('01', 'other') });
  expect([repeated.verdict, different.verdict]).toEqual(['repeated', 'different']);
  expect(repeated.view.transaction.version).toBe(before!.row.version);
  expect(await store.load([gid])).toEqual([before]);
  expect((await other.health()).live).toBe(0);
});

describe('on a store that nodes share', () => {
  /** Two nodes, of which the first has begun the transaction and the second has had it aborted. */
  async function abortedElsewhere(): Promise<Coordinator> {
    const memory = openMemoryStore();
    const store = decorated(memory, { capabilities: { ...memory.capabilities, shared: true } });
    const [one, other] = [await node(store), await node(store)];
    await one.prepare({ gid, spec: tcc });
    await other.request(gid, { type: 'aborted', reason: 'changed my mind' });
    return one;
  }

  test('a node tells what another has made of a transaction that it was driving', async () => {
    const one = await abortedElsewhere();
    expect((await one.get(gid))!.transaction).toMatchObject({ status: 'failed', reason: 'changed my mind' });
    expect((await one.health()).live).toBe(0);
  });

  test('whoever waits there hears the same', async () => {
    const one = await abortedElsewhere();
    expect((await one.wait(gid, { waitMs: 60_000 }))!.transaction.status).toBe('failed');
  });

  test('a request is judged by it', async () => {
    const one = await abortedElsewhere();
    expect(await one.request(gid, { type: 'submitted' })).toMatchObject({ verdict: 'wrong_status' });
    expect((await one.submit({ gid, spec: tcc })).view.transaction.status).toBe('failed');
  });

  test('an act by hand goes by the version that the other node has shown', async () => {
    const one = await abortedElsewhere();
    const act = { gid, verb: 'terminate', actor: 'ann', reason: 'over', expectedVersion: 2 } as const;
    await expect(one.intervene(act)).rejects.toMatchObject({ code: 'already_finished' });
  });
});
