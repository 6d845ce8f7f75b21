import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exerciseStore } from '@amends/store/contract';
import { openSqliteStore } from './open-sqlite-store.ts';

exerciseStore('sqlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'amends-sqlite-'));
  const path = join(directory, 'amends.db');
  let wall = Date.UTC(2026, 10, 24);
  let monotonic = 0;
  const clock = { wallMs: () => wall, monotonicMs: () => monotonic };
  return {
    store: await openSqliteStore({ path, clock }),
    reopen: (movedMs) => {
      wall += movedMs;
      return openSqliteStore({ path, clock });
    },
    passTime: (ms) => {
      monotonic += ms;
    },
    cleanUp: () => rm(directory, { recursive: true }),
  };
});
