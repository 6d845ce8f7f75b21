/** Where the CPU time of a saga of two branches goes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startAmends } from '../amends-server.ts';
import { byOwner, readProfile, type SelfTime } from '../cpu-profile.ts';
import { decimal } from '../figures.ts';
import { errorNotes, measure, type Sample } from '../measurement.ts';
import { threadCpuMicros } from '../process-meter.ts';
import type { Bench, Findings, Scenario, Table } from '../scenario.ts';

const functionsShown = 40;
const ownersShown = 25;

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
  const subject = { ...server, branchUrls: [bench.participants.first, bench.participants.second] as const };
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
  const threads = threadTimes(server.pid, before, after);
  return {
    tables: [threadTable(threads, sagas), ownerTable(times, sagas), functionTable(times, sagas)],
    marks: [],
    notes: [
      ...errorNotes([subject], [samples]),
      'the profiler itself costs time, and the start of the server is in the figures by package and function',
    ],
    measurements: { samples, threads, owners: byOwner(times), functions: times.slice(0, 200) },
  };
}

interface ThreadTime {
  readonly name: string;
  readonly micros: number;
}

/** The main thread, the busiest other one, which is SQLite's, and the rest: compiler, garbage collector, thread pool. */
function threadTimes(
  pid: number,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): readonly ThreadTime[] {
  const spent = (thread: number) => (after.get(thread) ?? 0) - (before.get(thread) ?? 0);
  const others = [...after.keys()].filter((thread) => thread !== pid).map(spent);
  const busiest = Math.max(0, ...others);
  return [
    { name: 'main thread', micros: spent(pid) },
    { name: 'SQLite thread', micros: busiest },
    { name: 'all others', micros: others.reduce((sum, micros) => sum + micros, 0) - busiest },
  ];
}

function threadTable(threads: readonly ThreadTime[], sagas: number): Table {
  return { columns: ['thread', 'µs/saga'], rows: threads.map(({ name, micros }) => [name, decimal(micros / sagas, 1)]) };
}

function ownerTable(times: readonly SelfTime[], sagas: number): Table {
  const total = times.reduce((sum, { micros }) => sum + micros, 0);
  return {
    columns: ['package', 'µs/saga', '%'],
    rows: byOwner(times)
      .slice(0, ownersShown)
      .map(({ owner, micros }) => [owner, decimal(micros / sagas, 1), decimal((100 * micros) / total, 1)]),
  };
}

function functionTable(times: readonly SelfTime[], sagas: number): Table {
  return {
    columns: ['function', 'µs/saga'],
    rows: times.slice(0, functionsShown).map(({ owner, name, micros }) => [`${owner}  ${name}`, decimal(micros / sagas, 1)]),
  };
}
