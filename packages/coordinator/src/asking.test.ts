import { type BranchId, defaultRetry, epochMs, type Gid, parseGid, type RegisteredBranch, type TccSpec } from '@amends/core';
import { openMemoryStore, type Store } from '@amends/store';
import { expect, onTestFinished, test } from 'vitest';
import type { Coordinator } from './coordinator.ts';
import { createCoordinator } from './create-coordinator.ts';

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

test('two nodes that take a branch each in the same millisecond both keep it', async () => {
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

test('a branch whose address may not be called leaves nothing in memory', async () => {
  const store = openMemoryStore();
  const [one, other] = [await node(store), await node(store)];
  await one.prepare({ gid, spec: tcc });
  const refused = other.request(gid, { type: 'registered', branch: branch('01', '169.254.169.254') });
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
  expect((await other.health()).live).toBe(0);
});
