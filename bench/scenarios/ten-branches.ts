/**
 * What a longer saga costs: ten branches one after the other, next to a relay that makes the same eleven exchanges; and,
 * when nothing else is under way, how many durable commits and syncs of the disk it waits for.
 */
import { errorNotes, type Measured, measure, measureInTurns, quotient, ratioOf, type Sample } from '../meters/measurement.ts';
import { countSyncs, type SyncCount } from '../meters/sync-count.ts';
import { decimal } from '../report/figures.ts';
import type { Findings, Mark, Table } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import { startRelay } from '../servers/relay-process.ts';
import type { Subject } from '../servers/subject.ts';
import { baselineTables, startBaseline } from './against-baseline.ts';
import { commitColumns, loadTable, p99Column } from './load-table.ts';
import type { Scenario } from './scenario.ts';

const branches = 10;

export const tenBranches: Scenario = {
  name: 'ten-branches',
  summary: 'sagas of ten branches, next to a relay; commits and syncs that a single one waits for',
  takesBaseline: true,
  run,
};

/** One saga at a time. */
interface Quiet {
  readonly subject: Subject;
  readonly sample: Sample;
  /** Of another measurement, as slow as being watched makes it. */
  readonly watched: SyncCount<Sample>;
}

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const measured = await measureInTurns(bench, await subjectsOf(bench));
  const [floor, saga, baseline] = measured as readonly [Measured, Measured, Measured?];
  const quiet: Quiet[] = [];
  for (const { subject } of measured.slice(1)) quiet.push(await watchQuietly(bench, subject));
  return {
    tables: [
      loadTable(measured, [p99Column, ...commitColumns]),
      quietTable(quiet),
      ...baselineTables(baseline === undefined ? [] : [{ now: saga, baseline }]),
    ],
    marks: marksOf(floor, saga, quiet[0]!),
    notes: [...errorNotes(measured), ...syncNotes(quiet)],
    measurements: { measured, quiet },
  };
}

/** The relay, sagas, and those of the baseline if there is one. */
async function subjectsOf(bench: Bench): Promise<readonly Subject[]> {
  const { http } = bench.participants;
  const branchUrls = Array.from({ length: branches }, (_, index) => http[index % http.length]!);
  const saga = { ...(await startAmends({ name: 'ten-branches' }, bench)), name: 'saga of ten branches', branchUrls };
  return [await startRelay(bench, branchUrls), saga, ...(await startBaseline(bench, saga.name, branchUrls))];
}

async function watchQuietly(bench: Bench, subject: Subject): Promise<Quiet> {
  bench.progress.phase(`one at a time, ${subject.name}`);
  const alone = { connections: 1 };
  const sample = await measure(bench, subject, alone);
  return { subject, sample, watched: await countSyncs(subject.pid!, () => measure(bench, subject, alone)) };
}

function quietTable(quiet: readonly Quiet[]): Table {
  return {
    columns: ['one at a time', 'sagas/s', 'p50 ms', 'p99 ms', 'commits/saga', 'syncs/saga'],
    rows: quiet.map(({ subject, sample, watched: { syncs, result } }) => [
      subject.name,
      decimal(sample.sagasPerS),
      decimal(sample.p50Ms, 1),
      decimal(sample.p99Ms, 1),
      decimal(sample.commitsPerSaga, 2),
      decimal(quotient(syncs, result.sagas), 2),
    ]),
  };
}

function marksOf(floor: Measured, saga: Measured, { sample }: Quiet): readonly Mark[] {
  return [
    { name: 'CPU of ten branches', value: ratioOf(saga, floor, 'cpuMicros'), bound: 'at most', limit: 1.6, unit: '× floor' },
    { name: 'commits of ten branches', value: sample.commitsPerSaga, bound: 'at most', limit: 2, unit: 'per saga alone' },
  ];
}

function syncNotes(quiet: readonly Quiet[]): readonly string[] {
  return quiet.flatMap(({ subject, watched: { trouble } }) =>
    trouble === '' ? [] : [`${subject.name}: its syncs were not counted: ${trouble}`],
  );
}
