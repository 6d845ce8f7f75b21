/** How fast work is claimed: as fast as it is driven, but gently while requests come in. */
import { epochMs, nodeId } from '@amends/core';
import { decorated, openMemoryStore, type StoredTransaction } from '@amends/store';
import { afterEach, describe, expect, test } from 'vitest';
import { silentLog } from '../ports/host.ts';
import { Membership } from './membership.ts';

const startedAt = 1_800_000_000_000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

let member: Membership | null = null;
afterEach(() => member?.stopClaiming());

/** A node whose clock stands still until it is told, on a store with more due work than anybody can claim. */
function nodeWithBacklog(isAsked: boolean) {
  const state = { now: startedAt, recovering: 0 };
  const limits: number[] = [];
  const due: { at: number; wake: () => void }[] = [];
  const claim = async ({ limit }: { limit: number }) => {
    limits.push(limit);
    return Array.from({ length: limit }, () => ({}) as StoredTransaction);
  };
  member = new Membership(
    { node: nodeId('n'), nodeName: 'n', heartbeatEveryMs: 60_000, timeToLiveMs: 90_000, claimEveryMs: 500, recoveringMax: 64 },
    {
      store: decorated(openMemoryStore(), { claim }),
      timers: {
        after(delayMs, wake) {
          const timer = { at: state.now + delayMs, wake };
          due.push(timer);
          return () => void (due.includes(timer) && due.splice(due.indexOf(timer), 1));
        },
        soon: setImmediate,
      },
      clock: { now: () => epochMs(state.now) },
      log: silentLog,
      keepTime: (ask) => ask(),
      adopt: () => {
        state.recovering += 1;
      },
      recovering: () => state.recovering,
      room: () => 1_000,
      isAsked: () => isAsked,
      horizonMs: () => 30_000,
      driven: () => [],
    },
  );
  return {
    limits,
    start: async () => {
      member!.startClaiming();
      await settled();
    },
    /** All that was claimed has come to rest. */
    async rest() {
      state.recovering = 0;
      member!.roomAgain();
      await settled();
    },
    async pass(ms: number) {
      state.now += ms;
      for (const timer of due.filter(({ at }) => at <= state.now)) {
        due.splice(due.indexOf(timer), 1);
        timer.wake();
      }
      await settled();
    },
  };
}

describe('a backlog', () => {
  test('is claimed as fast as it is driven while nobody asks for anything', async () => {
    const node = nodeWithBacklog(false);
    await node.start();
    await node.rest();
    await node.rest();
    expect(node.limits).toEqual([64, 64, 64]);
  });

  test('waits while as much as may be under way is so', async () => {
    const node = nodeWithBacklog(false);
    await node.start();
    await node.pass(500);
    expect(node.limits).toEqual([64]);
  });

  test('gives way to requests: little at once, and no more than some 1,300 per second', async () => {
    const node = nodeWithBacklog(true);
    await node.start();
    await node.rest();
    expect(node.limits).toEqual([8]);
    await node.pass(6);
    expect(node.limits).toEqual([8]);
    await node.pass(1);
    expect(node.limits).toEqual([8, 8]);
  });
});
