/** How fast a server takes up what a dead one left behind, and whether new sagas suffer meanwhile. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadResult } from '../load/load.ts';
import { readCounts } from '../meters/metrics-page.ts';
import { type Memory, readMemory } from '../meters/process-meter.ts';
import { decimal, megabytes } from '../report/figures.ts';
import type { Findings } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { type AmendsServer, startAmends } from '../servers/amends-server.ts';
import { writeStored } from '../servers/stored-transactions.ts';
import type { Scenario } from './scenario.ts';

const countDefault = 100_000;
/** New sagas that arrive all the time. */
const newPerS = 200;
const lookEveryMs = 250;
/** A drain that gets nowhere for so long has failed. */
const stuckAfterMs = 60_000;

export const backlog: Scenario = {
  name: 'backlog',
  summary: `drain of 100,000 transactions left by a dead server, while ${newPerS} new sagas arrive per second`,
  run,
};

/** What was seen of the drain. */
interface Drain {
  readonly seconds: number;
  readonly perS: number;
  readonly memory: Memory | null;
  readonly fresh: LoadResult;
}

async function run(bench: Bench): Promise<Findings> {
  const count = bench.options.count ?? countDefault;
  const file = await prepare(count, bench);
  const usual = await usualLoad(bench);
  const drained = await drain(count, file, bench);
  const { fresh } = drained;
  return {
    tables: [
      {
        columns: ['', 'drained/s', 'in s', 'RSS MB, peak', 'new sagas/s', 'p50 ms', 'p99 ms'],
        rows: [
          ['no backlog', '-', '-', '-', ...loadCells(usual)],
          [
            `backlog of ${decimal(count)}`,
            decimal(drained.perS),
            decimal(drained.seconds, 1),
            megabytes(drained.memory?.peakBytes),
            ...loadCells(fresh),
          ],
        ],
      },
    ],
    marks: [
      { name: 'drain', value: drained.perS, bound: 'at least', limit: 1_000, unit: 'transactions/s' },
      { name: 'p99 of new sagas', value: fresh.p99Ms / usual.p99Ms, bound: 'at most', limit: 2, unit: '× usual' },
    ],
    notes: fresh.errors + usual.errors === 0 ? [] : [`${fresh.errors + usual.errors} new sagas were NOT answered with success`],
    measurements: { usual, drained },
  };
}

function loadCells(result: LoadResult): readonly string[] {
  return [decimal(result.sagas / result.seconds), decimal(result.p50Ms, 1), decimal(result.p99Ms, 1)];
}

async function prepare(count: number, { participants, options, scratch, progress }: Bench): Promise<string> {
  const file = join(scratch.folder, 'backlog.db');
  progress.phase(`storing ${decimal(count)} transactions in flight`);
  const branchUrls = participants.http;
  const stored = { count, as: 'in-flight', branchUrls, gidOrder: options.gidOrder } as const;
  await writeStored(file, stored, (written) => progress.tick(decimal(written)));
  return file;
}

async function usualLoad(bench: Bench): Promise<LoadResult> {
  const server = await startAmends({ name: 'usual' }, bench);
  bench.progress.phase('warming up');
  await newSagas(server, bench, bench.options.seconds);
  bench.progress.phase('new sagas without a backlog');
  const usual = await newSagas(server, bench, bench.options.seconds * bench.options.rounds);
  await server.stop();
  return usual;
}

function newSagas(
  server: AmendsServer,
  bench: Bench,
  seconds: number,
  onProgress?: (sagas: number) => void,
): Promise<LoadResult> {
  const { participants, options, load } = bench;
  const branchUrls = participants.http;
  const { connections, gidOrder } = options;
  return load.run({ kind: 'saga', url: server.url, branchUrls, gidOrder, connections, seconds, ratePerS: newPerS }, onProgress);
}

async function drain(count: number, file: string, bench: Bench): Promise<Drain> {
  bench.progress.phase('drain');
  const startedAt = performance.now();
  const server = await startAmends({ name: 'backlog', file }, bench);
  let fresh = 0;
  const load = newSagas(server, bench, 3_600, (sagas) => {
    fresh = sagas;
  });
  const drained = waitForDrain(count, server, (succeeded) => {
    bench.progress.tick(`${decimal(succeeded - fresh)} of ${decimal(count)}`);
    return succeeded - fresh;
  });
  await Promise.race([drained, load, server.lost]);
  const seconds = (performance.now() - startedAt) / 1000;
  bench.load.stop();
  return { seconds, perS: count / seconds, memory: readMemory(server.pid), fresh: await load };
}

/** Resolves when so many have succeeded. @param oldOf of all that have succeeded, how many are of the backlog */
async function waitForDrain(count: number, server: AmendsServer, oldOf: (succeeded: number) => number): Promise<void> {
  let latest = -1;
  let movedAt = performance.now();
  for (;;) {
    const counts = await readCounts(server.url);
    if (counts === null) throw new Error('the server has no metrics to follow the drain by');
    const old = oldOf(counts.succeeded);
    if (old >= count) return;
    if (old > latest) movedAt = performance.now();
    else if (performance.now() - movedAt > stuckAfterMs)
      throw new Error(`the drain stands still at ${decimal(old)} of ${decimal(count)}`);
    latest = Math.max(latest, old);
    await pause(lookEveryMs);
  }
}
