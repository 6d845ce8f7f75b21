/** Where the CPU time of a saga of two branches goes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readProfile, type SelfTime, sumBy } from '../meters/cpu-profile.ts';
import { errorNotes, measure, type Sample } from '../meters/measurement.ts';
import { threadCpuMicros } from '../meters/process-meter.ts';
import { decimal } from '../report/figures.ts';
import type { Findings, Table } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import type { Scenario } from './scenario.ts';

const functionsShown = 40;
const packagesShown = 25;

export const profile: Scenario = {
  name: 'profile',
  summary: 'where the CPU time of a saga goes: threads, packages, functions (of the main thread)',
  run,
};

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const folder = join(bench.scratch.folder, 'profile');
  mkdirSync(folder);
  const server = await startAmends({ name: 'profile', nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`] }, bench);
  const subject = { ...server, branchUrls: bench.participants.http };
  const samples: Sample[] = [];
  const before = threadCpuMicros(server.pid);
  for (let round = 1; round <= bench.options.rounds; round++) {
    bench.progress.phase(`round ${round} of ${bench.options.rounds}`);
    samples.push(await measure(bench, subject));
  }
  const after = threadCpuMicros(server.pid);
  await server.stop();
  const sagas = samples.reduce((sum, sample) => sum + sample.sagas, 0);
  const times = readProfile(folder);
  const threads = threadTimes(before, after);
  return {
    tables: [threadTable(threads, sagas), packageTable(times, sagas), functionTable(times, sagas)],
    marks: [],
    notes: [
      ...errorNotes([{ subject, samples, memory: null }]),
      'by package and function: elapsed time of the main thread from its start on, which on a busy machine is more than CPU time',
    ],
    measurements: { samples, threads, functions: times.slice(0, 200) },
  };
}

interface ThreadTime {
  readonly name: string;
  readonly micros: number;
}

function threadTimes(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly ThreadTime[] {
  return [...after]
    .map(([name, micros]) => ({ name, micros: micros - (before.get(name) ?? 0) }))
    .filter(({ micros }) => micros > 0)
    .sort((one, other) => other.micros - one.micros);
}

function threadTable(threads: readonly ThreadTime[], sagas: number): Table {
  return { columns: ['thread', 'CPU µs/saga'], rows: threads.map(({ name, micros }) => [name, decimal(micros / sagas, 1)]) };
}

/** Packages by what was done on their behalf. */
function packageTable(times: readonly SelfTime[], sagas: number): Table {
  const own = sumBy('owner', times);
  return {
    columns: ['package', 'µs/saga, Node included', 'its own code'],
    rows: [...sumBy('behalf', times)]
      .slice(0, packagesShown)
      .map(([name, micros]) => [name, decimal(micros / sagas, 1), decimal((own.get(name) ?? 0) / sagas, 1)]),
  };
}

function functionTable(times: readonly SelfTime[], sagas: number): Table {
  return {
    columns: ['function', 'µs/saga'],
    rows: times.slice(0, functionsShown).map(({ owner, behalf, name, micros }) => {
      const caller = behalf === owner ? '' : `  for ${behalf}`;
      return [`${owner}  ${name}${caller}`, decimal(micros / sagas, 1)];
    }),
  };
}
