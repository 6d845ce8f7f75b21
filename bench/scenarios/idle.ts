/** How much memory a server takes that has nothing to do. */
import { setTimeout as pause } from 'node:timers/promises';
import { readMemory } from '../meters/process-meter.ts';
import { megabytes } from '../report/figures.ts';
import type { Findings } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import type { Scenario } from './scenario.ts';

export const idle: Scenario = {
  name: 'idle',
  summary: 'memory of a server with an empty store and nothing to do, after --seconds',
  run,
};

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const startedAt = performance.now();
  const server = await startAmends({ name: 'idle' }, bench);
  const readyMs = performance.now() - startedAt;
  bench.progress.phase(`idle for ${bench.options.seconds} s`);
  await Promise.race([pause(bench.options.seconds * 1000), server.lost]);
  const memory = readMemory(server.pid);
  const residentMb = memory === null ? null : memory.residentBytes / 1e6;
  return {
    tables: [
      {
        columns: ['', 'RSS MB', 'peak', 'ready after ms'],
        rows: [['idle server', megabytes(memory?.residentBytes), megabytes(memory?.peakBytes), readyMs.toFixed(0)]],
      },
    ],
    marks: [{ name: 'idle RSS', value: residentMb, bound: 'at most', limit: 120, unit: 'MB' }],
    notes: [],
    measurements: { memory, readyMs },
  };
}
