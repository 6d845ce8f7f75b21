/** How much a saga of two branches costs, next to a relay that makes the same three exchanges and stores nothing. */

import { nobody } from '../load/saga-request.ts';
import { errorNotes, measure, measureInTurns, medianOf, ratioOf, type Sample } from '../meters/measurement.ts';
import { type Memory, memoryOf } from '../meters/process-meter.ts';
import { countSyncs, straceMissing } from '../meters/sync-count.ts';
import { decimal, megabytes } from '../report/figures.ts';
import type { Findings, Mark, Table } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import { startRelay } from '../servers/relay-process.ts';
import type { Subject } from '../servers/subject.ts';
import type { Scenario } from './scenario.ts';

/** What was found out about one subject. */
interface Result {
  readonly subject: Subject;
  readonly samples: readonly Sample[];
  readonly memory: Memory | null;
}

export const speed: Scenario = {
  name: 'speed',
  summary: 'sagas per second, CPU and writes per saga, next to a bare relay (the marks of the project)',
  run,
};

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const subjects = [await startRelay(bench), ...(await subjectsOf(bench))];
  const samples = await measureInTurns(bench, subjects);
  const results = subjects.map((subject, index) => resultOf(subject, samples[index]!));
  const syncs = bench.options.strace ? await watchSyncs(bench, results[1]!.subject) : null;
  return {
    tables: [speedTable(results), costTable(results)],
    marks: [...(bench.options.target === null ? marks(results) : []), ...(syncs === null ? [] : [syncMark(syncs)])],
    notes: [...errorNotes(subjects, samples), ...(syncs === null ? [] : [syncNote(syncs)])],
    measurements: { results, syncs },
  };
}

async function subjectsOf(bench: Bench): Promise<readonly Subject[]> {
  const { target, targetPid, fsyncDelayMs } = bench.options;
  const branchUrls = [bench.participants.first, bench.participants.second] as const;
  if (target !== null)
    return [
      { name: 'saga of two branches', url: target, pid: targetPid, branchUrls },
      { name: 'saga that calls nobody', url: target, pid: targetPid, branchUrls: nobody },
    ];
  const saga = await startAmends({ name: 'saga', fsyncDelayMs }, bench);
  const empty = await startAmends({ name: 'empty', fsyncDelayMs }, bench);
  return [
    { ...saga, name: 'saga of two branches', branchUrls },
    { ...empty, name: 'saga that calls nobody', branchUrls: nobody },
  ];
}

function resultOf(subject: Subject, samples: readonly Sample[]): Result {
  return { subject, samples, memory: subject.pid === null ? null : memoryOf(subject.pid) };
}

function speedTable(results: readonly Result[]): Table {
  const floor = results[0]!.samples;
  return {
    columns: ['', 'sagas/s', '× floor', 'CPU µs/saga', '× floor', 'p50 ms', 'p99 ms'],
    rows: results.map(({ subject, samples }) => [
      subject.name,
      decimal(medianOf(samples, 'sagasPerS')),
      decimal(ratioOf(samples, floor, 'sagasPerS'), 2),
      decimal(medianOf(samples, 'cpuMicros')),
      decimal(ratioOf(samples, floor, 'cpuMicros'), 2),
      decimal(medianOf(samples, 'p50Ms'), 1),
      decimal(medianOf(samples, 'p99Ms'), 1),
    ]),
  };
}

function costTable(results: readonly Result[]): Table {
  return {
    columns: ['', 'RSS MB, peak', 'at the end', 'commits/saga', 'bytes written/saga'],
    rows: results.map(({ subject, samples, memory }) => [
      subject.name,
      megabytes(memory?.peakBytes),
      megabytes(memory?.residentBytes),
      decimal(medianOf(samples, 'batchesPerSaga'), 3),
      decimal(medianOf(samples, 'writtenBytes')),
    ]),
  };
}

function marks([floor, saga]: readonly Result[]): readonly Mark[] {
  const cpu = ratioOf(saga!.samples, floor!.samples, 'cpuMicros');
  const throughput = ratioOf(saga!.samples, floor!.samples, 'sagasPerS');
  const memory = saga!.memory && floor!.memory ? saga!.memory.peakBytes / floor!.memory.peakBytes : null;
  return [
    { name: 'CPU per saga', value: cpu, bound: 'at most', limit: 1.9, unit: '× floor' },
    { name: 'throughput', value: throughput, bound: 'at least', limit: 0.6, unit: '× floor' },
    { name: 'peak RSS', value: memory, bound: 'at most', limit: 1.3, unit: '× relay' },
  ];
}

interface Syncs {
  readonly syncs: number;
  readonly batches: number | null;
  readonly sagas: number;
}

async function watchSyncs(bench: Bench, subject: Subject): Promise<Syncs | null> {
  if (subject.pid === null) return null;
  const missing = straceMissing();
  if (missing !== null) throw new Error(missing);
  bench.progress.phase(`watching the syncs of ${subject.name}`);
  let sample: Sample | null = null;
  const { syncs } = await countSyncs(subject.pid, async () => {
    sample = await measure(bench, subject);
  });
  const { batches, sagas } = sample as unknown as Sample;
  return { syncs, batches, sagas };
}

/** Every commit is on disk before it is answered. */
function syncMark({ syncs, batches }: Syncs): Mark {
  return { name: 'syncs', value: batches === null ? null : syncs / batches, bound: 'at least', limit: 1, unit: 'per commit' };
}

function syncNote({ syncs, batches, sagas }: Syncs): string {
  const commits = batches === null ? '' : `${decimal(batches)} commits and `;
  return `strace saw ${decimal(syncs)} syncs for ${commits}${decimal(sagas)} sagas, ${decimal(syncs / sagas, 3)} per saga`;
}
