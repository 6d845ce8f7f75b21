/** What is finished is deleted when its time has come: few at a time, less while requests come in. */
import { epochMs } from '@amends/core';
import { decorated, openMemoryStore, type PurgeRequest } from '@amends/store';
import { finished, firstChange, gidOf } from '@amends/store/contract';
import { expect, test } from 'vitest';
import { silentLog } from '../ports/host.ts';
import { Retention, type RetentionOptions } from './retention.ts';

const startedAt = 1_800_000_000_000;
const day = 86_400_000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

interface Setting extends Partial<RetentionOptions> {
  readonly isAsked?: boolean;
  /** How long each portion takes. Milliseconds. */
  readonly tookMs?: number;
}

/** A node whose clock stands still until it is told. */
function node({ isAsked = false, tookMs = 0, retainSucceededMs = 7 * day, retainFailedMs = 7 * day }: Setting) {
  const state = { now: startedAt };
  const memory = openMemoryStore();
  const asked: PurgeRequest[] = [];
  const trouble = { error: null as Error | null };
  const store = decorated(memory, {
    async purge(request) {
      asked.push(request);
      state.now += tookMs;
      if (trouble.error !== null) throw trouble.error;
      return memory.purge(request);
    },
  });
  let due: { readonly delayMs: number; readonly wake: () => void } | null = null;
  const retention = new Retention(
    { retainSucceededMs, retainFailedMs },
    {
      store,
      clock: { now: () => epochMs(state.now) },
      timers: {
        after(delayMs, wake) {
          due = { delayMs, wake };
          return () => {
            due = null;
          };
        },
        soon: setImmediate,
      },
      log: silentLog,
      isAsked: () => isAsked,
    },
  );
  retention.start();
  return {
    retention,
    asked,
    trouble,
    pauseMs: () => due?.delayMs ?? null,
    left: async () => (await memory.list({ limit: 1_000 })).rows.length,
    /** Puts in `count` that finished so long ago. */
    async finished(count: number, ageMs: number, status: 'succeed' | 'failed' = 'succeed') {
      const at = epochMs(startedAt - ageMs);
      await memory.commit(
        Array.from({ length: count }, (_, n) => firstChange(gidOf(`${status}-${ageMs}-${n}`), { ...finished(at), status })),
      );
    },
    async wake(jumpMs = 0) {
      state.now += due!.delayMs + jumpMs;
      due!.wake();
      await settled();
    },
  };
}

test('each kind has its own time, and what is younger stays', async () => {
  const { finished, wake, left, asked } = node({ retainSucceededMs: day, retainFailedMs: 3 * day });
  await finished(5, 4 * day);
  await finished(7, day / 2);
  await finished(2, 4 * day, 'failed');
  await finished(3, 2 * day, 'failed');
  await wake();
  expect(await left()).toBe(7 + 3);
  expect(asked.map(({ status, limit }) => [status, limit])).toEqual([
    ['succeed', 100],
    ['failed', 100],
  ]);
});

test('what is kept for ever is not asked for; with both nothing is done', async () => {
  const { wake, asked } = node({ retainFailedMs: null });
  await wake();
  expect(asked.map(({ status }) => status)).toEqual(['succeed']);
  expect(node({ retainSucceededMs: null, retainFailedMs: null }).pauseMs()).toBeNull();
});

test.each([
  [true, 80],
  [false, 8],
])(
  'between portions it rests for a multiple of the time they took; while requests come in (%s): %i ms',
  async (isAsked, pause) => {
    const { finished, wake, left, pauseMs } = node({ isAsked, tookMs: 4 });
    await finished(250, 8 * day);
    await wake();
    expect(await left()).toBe(150);
    expect(pauseMs()).toBe(pause);
    await wake();
    await wake();
    expect(await left()).toBe(0);
    expect(pauseMs()).toBe(60_000);
  },
);

test('what is kept for a short time is looked at more often', async () => {
  const { wake, pauseMs } = node({ retainSucceededMs: 20_000 });
  await wake();
  expect(pauseMs()).toBe(2_000);
});

test('a store in trouble is asked again later', async () => {
  const { finished, wake, left, trouble } = node({});
  await finished(1, 8 * day);
  trouble.error = new Error('disk full');
  await wake();
  expect(await left()).toBe(1);
  trouble.error = null;
  await wake();
  expect(await left()).toBe(0);
});

test('stopped, it looks no more, and says when its last portion is over', async () => {
  const { retention, pauseMs, wake } = node({});
  await wake();
  await retention.stop();
  expect(pauseMs()).toBeNull();
});

test('a clock that jumps forward deletes nothing for an hour', async () => {
  const { wake, pauseMs, finished: put, left } = node({});
  await put(3, 0);
  await wake(8 * day);
  expect(pauseMs()).toBe(3_600_000);
  expect(await left()).toBe(3);
  await wake();
  expect(await left()).toBe(0);
});
