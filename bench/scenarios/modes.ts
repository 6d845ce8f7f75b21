/**
 * What a transaction of two branches costs in each mode and over gRPC, next to a relay that makes the same exchanges and stores
 * nothing.
 */

import type { JobKind } from '../load/jobs.ts';
import { type BranchUrls, nobody } from '../load/saga-request.ts';
import { errorNotes, type Measured, measureInTurns, medianOf, ratioOf } from '../meters/measurement.ts';
import { decimal } from '../report/figures.ts';
import type { Findings, Mark } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { type AmendsServer, startAmends } from '../servers/amends-server.ts';
import { startGrpcRelay, startRelay } from '../servers/relay-process.ts';
import type { Subject } from '../servers/subject.ts';
import { baselineTables } from './against-baseline.ts';
import type { Scenario } from './scenario.ts';

export const modes: Scenario = {
  name: 'modes',
  summary: 'the same two branches in each mode and over gRPC, each next to a relay that makes the same exchanges',
  takesBaseline: true,
  run,
};

/** A job, the requests that its client makes, the calls that the server makes, and the throughput that is promised. */
interface Job {
  readonly kind: JobKind;
  readonly exchanges: string;
  /** By the throughput of its relay; null: nothing is promised. */
  readonly throughputMin: number | null;
}

const jobs: readonly Job[] = [
  { kind: 'saga', exchanges: '1 in, 2 out', throughputMin: null },
  { kind: 'msg', exchanges: '2 in, 2 out', throughputMin: 0.4 },
  { kind: 'tcc', exchanges: '4 in, 2 out', throughputMin: 0.4 },
  { kind: 'xa', exchanges: '4 in, 2 out', throughputMin: null },
  { kind: 'workflow', exchanges: '4 in', throughputMin: null },
  { kind: 'grpc-saga', exchanges: '1 in, 2 out', throughputMin: 0.6 },
];

interface ModeResult {
  readonly job: Job;
  readonly floor: Measured;
  readonly amends: Measured;
  readonly baseline: Measured | null;
}

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const measured = await measureInTurns(bench, await startSubjects(bench));
  const of = (index: number) => measured.slice(index * jobs.length, (index + 1) * jobs.length);
  const [floors, amends, baselines] = [of(0), of(1), of(2)];
  const results = jobs.map((job, index) => ({
    job,
    floor: floors[index]!,
    amends: amends[index]!,
    baseline: baselines[index] ?? null,
  }));
  return {
    tables: [
      {
        columns: [
          '',
          'exchanges',
          'relay/s',
          'amends/s',
          '× relay',
          'relay CPU µs',
          'amends CPU µs',
          '× relay',
          'p50 ms',
          'commits',
        ],
        rows: results.map(row),
      },
      ...baselineTables(
        results.flatMap(({ amends: now, baseline }) => (baseline === null ? [] : [{ now, baseline }])),
        ['sagasPerS', 'cpuMicros', 'p99Ms'],
      ),
    ],
    marks: results.flatMap(markOf),
    notes: errorNotes(measured),
    measurements: { results },
  };
}

/** The relays by job, Amends by job, and the baseline by job if there is one. */
async function startSubjects(bench: Bench): Promise<readonly Subject[]> {
  const { baseline } = bench.options;
  const amends = await startAmends({ name: 'amends' }, bench);
  const before = baseline === null ? [] : [await startAmends({ name: 'baseline', checkout: baseline }, bench)];
  return [
    ...(await relays(bench)),
    ...jobs.map(({ kind }) => subjectOf(amends, kind, bench)),
    ...before.flatMap((server) => jobs.map(({ kind }) => subjectOf(server, kind, bench))),
  ];
}

async function relays(bench: Bench): Promise<readonly Subject[]> {
  const usual = await startRelay(bench, bench.participants.http);
  const others: Partial<Record<JobKind, Subject>> = {
    workflow: await startRelay(bench, nobody),
    'grpc-saga': await startGrpcRelay(bench),
  };
  return jobs.map(({ kind }) => ({
    ...(others[kind] ?? usual),
    name: `${kind}, relay`,
    kind,
    branchUrls: branchesOf(kind, bench),
  }));
}

function subjectOf({ name, url, grpcUrl, pid }: AmendsServer, kind: JobKind, bench: Bench): Subject {
  const subject = { name: name === 'amends' ? kind : `${name}, ${kind}`, url, pid, kind, branchUrls: branchesOf(kind, bench) };
  return kind === 'grpc-saga' ? { ...subject, loadUrl: grpcUrl } : subject;
}

function branchesOf(kind: JobKind, { participants }: Bench): BranchUrls {
  return kind === 'grpc-saga' ? participants.grpc : participants.http;
}

function row({ job, floor, amends }: ModeResult): readonly string[] {
  return [
    job.kind,
    job.exchanges,
    decimal(medianOf(floor, 'sagasPerS')),
    decimal(medianOf(amends, 'sagasPerS')),
    decimal(ratioOf(amends, floor, 'sagasPerS'), 2),
    decimal(medianOf(floor, 'cpuMicros')),
    decimal(medianOf(amends, 'cpuMicros')),
    decimal(ratioOf(amends, floor, 'cpuMicros'), 2),
    decimal(medianOf(amends, 'p50Ms'), 1),
    decimal(medianOf(amends, 'commitsPerSaga'), 2),
  ];
}

function markOf({ job, floor, amends }: ModeResult): readonly Mark[] {
  if (job.throughputMin === null) return [];
  const value = ratioOf(amends, floor, 'sagasPerS');
  return [{ name: `throughput of ${job.kind}`, value, bound: 'at least', limit: job.throughputMin, unit: '× its relay' }];
}
