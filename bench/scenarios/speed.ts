/** How much a saga of two branches costs, next to a relay that makes the same three exchanges and stores nothing. */
import { nobody } from '../load/saga-request.ts';
import { errorNotes, type Measured, measure, measureInTurns, medianOf, ratioOf, spreadOf } from '../meters/measurement.ts';
import { countSyncs } from '../meters/sync-count.ts';
import { decimal, megabytes } from '../report/figures.ts';
import type { Findings, Mark, Table } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import { startRelay } from '../servers/relay-process.ts';
import type { Subject } from '../servers/subject.ts';
import { baselineTables, startBaseline } from './against-baseline.ts';
import { loadTable, p99Column } from './load-table.ts';
import type { Scenario } from './scenario.ts';

export const speed: Scenario = {
  name: 'speed',
  summary: 'sagas of two branches: per second, CPU and writes of each, next to a bare relay',
  takesBaseline: true,
  run,
};

const title = 'saga of two branches';

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const measured = await measureInTurns(bench, await startSubjects(bench));
  const [floor, saga, empty, baseline] = measured as readonly [Measured, Measured, Measured, Measured?];
  const syncs = bench.options.strace ? await watchSyncs(bench, saga.subject) : null;
  const pairs = baseline === undefined ? [] : [{ now: saga, baseline }];
  return {
    tables: [loadTable(measured, [p99Column]), costTable([floor, saga, empty]), ...baselineTables(pairs)],
    marks: [...(bench.options.target === null ? marksOf(floor, saga) : []), ...(syncs === null ? [] : [syncMark(syncs)])],
    notes: [...errorNotes(measured), ...(syncs === null ? [] : [syncNote(syncs)])],
    measurements: { measured, syncs },
  };
}

/** The relay, sagas, sagas that call nobody, and the sagas of the baseline if there is one. */
async function startSubjects(bench: Bench): Promise<readonly Subject[]> {
  const { http } = bench.participants;
  const subjects = [await startRelay(bench, http), ...(await sagaSubjects(bench))];
  return [...subjects, ...(await startBaseline(bench, title, http))];
}

async function sagaSubjects(bench: Bench): Promise<readonly Subject[]> {
  const { target, targetPid, fsyncDelayMs } = bench.options;
  const saga = { name: title, branchUrls: bench.participants.http };
  const empty = { name: 'saga that calls nobody', branchUrls: nobody };
  if (target !== null) return [saga, empty].map((subject) => ({ url: target, pid: targetPid, ...subject }));
  return [
    { ...(await startAmends({ name: 'saga', fsyncDelayMs }, bench)), ...saga },
    { ...(await startAmends({ name: 'empty', fsyncDelayMs }, bench)), ...empty },
  ];
}

function costTable(measured: readonly Measured[]): Table {
  return {
    columns: ['', 'RSS MB, peak', 'at the end', 'commits/saga', 'batches/saga', 'bytes written/saga'],
    rows: measured.map((one) => [
      one.subject.name,
      megabytes(one.memory?.peakBytes),
      megabytes(one.memory?.residentBytes),
      decimal(medianOf(one, 'commitsPerSaga'), 2),
      decimal(medianOf(one, 'batchesPerSaga'), 3),
      decimal(medianOf(one, 'writtenBytes')),
    ]),
  };
}

function marksOf(floor: Measured, saga: Measured): readonly Mark[] {
  const peakMb = saga.memory === null ? null : saga.memory.peakBytes / 1e6;
  return [
    { name: 'CPU per saga', value: ratioOf(saga, floor, 'cpuMicros'), bound: 'at most', limit: 2.6, unit: '× floor' },
    { name: 'throughput', value: ratioOf(saga, floor, 'sagasPerS'), bound: 'at least', limit: 0.42, unit: '× floor' },
    { name: 'p99', value: spreadOf(saga, 'p99Ms', 'p50Ms'), bound: 'at most', limit: 2, unit: '× p50' },
    { name: 'peak RSS', value: peakMb, bound: 'at most', limit: 300, unit: 'MB' },
  ];
}

interface Syncs {
  readonly syncs: number;
  readonly batches: number | null;
  readonly sagas: number;
}

async function watchSyncs(bench: Bench, subject: Subject): Promise<Syncs | null> {
  if (subject.pid === null) return null;
  bench.progress.phase(`watching the syncs of ${subject.name}`);
  const { syncs, trouble, result } = await countSyncs(subject.pid, () => measure(bench, subject));
  if (syncs === null) throw new Error(trouble);
  return { syncs, batches: result.batches, sagas: result.sagas };
}

/** Every commit is on disk before it is answered. */
function syncMark({ syncs, batches }: Syncs): Mark {
  return { name: 'syncs', value: batches === null ? null : syncs / batches, bound: 'at least', limit: 1, unit: 'per batch' };
}

function syncNote({ syncs, batches, sagas }: Syncs): string {
  const commits = batches === null ? '' : `${decimal(batches)} batches of commits and `;
  return `strace saw ${decimal(syncs)} syncs for ${commits}${decimal(sagas)} sagas, ${decimal(syncs / sagas, 3)} per saga`;
}
