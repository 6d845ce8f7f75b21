/**
 * What a transaction of two branches costs in each mode and over gRPC, next to a relay that makes the same exchanges and stores
 * nothing.
 */

import type { JobKind } from '../load/jobs.ts';
import { nobody } from '../load/saga-request.ts';
import { errorNotes, measureInTurns, medianOf, ratioOf, type Sample } from '../meters/measurement.ts';
import { decimal } from '../report/figures.ts';
import type { Findings, Mark } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import { startGrpcRelay, startRelay } from '../servers/relay-process.ts';
import type { Subject } from '../servers/subject.ts';
import type { Scenario } from './scenario.ts';

export const modes: Scenario = {
  name: 'modes',
  summary: 'the same two branches in each mode and over gRPC, each next to a relay that makes the same exchanges',
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
  { kind: 'msg', exchanges: '2 in, 2 out', throughputMin: 0.5 },
  { kind: 'tcc', exchanges: '4 in, 2 out', throughputMin: 0.5 },
  { kind: 'xa', exchanges: '4 in, 2 out', throughputMin: null },
  { kind: 'workflow', exchanges: '4 in', throughputMin: null },
  { kind: 'grpc-saga', exchanges: '1 in, 2 out', throughputMin: 0.5 },
];

interface Result {
  readonly job: Job;
  readonly floor: readonly Sample[];
  readonly amends: readonly Sample[];
}

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const subjects = await subjectsOf(bench);
  const samples = await measureInTurns(bench, subjects.flat());
  const results = jobs.map((job, index) => ({ job, floor: samples[2 * index]!, amends: samples[2 * index + 1]! }));
  return {
    tables: [
      {
        columns: ['', 'exchanges', 'relay/s', 'amends/s', '× relay', 'relay CPU µs', 'amends CPU µs', '× relay', 'p50 ms'],
        rows: results.map(row),
      },
    ],
    marks: results.flatMap(markOf),
    notes: errorNotes(subjects.flat(), samples),
    measurements: { results },
  };
}

/** By job, its relay and Amends. */
async function subjectsOf(bench: Bench): Promise<readonly (readonly [Subject, Subject])[]> {
  const { participants } = bench;
  const relay = await startRelay(bench);
  const silentRelay = await startRelay(bench, nobody);
  const grpcRelay = await startGrpcRelay(bench);
  const amends = await startAmends({ name: 'amends' }, bench);
  return jobs.map(({ kind }) => {
    const isGrpc = kind === 'grpc-saga';
    const branchUrls = isGrpc ? participants.grpc : ([participants.first, participants.second] as const);
    const floor = isGrpc ? grpcRelay : kind === 'workflow' ? silentRelay : relay;
    const { url, pid, grpcUrl } = amends;
    return [
      { ...floor, name: `${kind}, relay`, kind, branchUrls },
      { name: kind, url, pid, kind, branchUrls, ...(isGrpc ? { loadUrl: grpcUrl } : {}) },
    ];
  });
}

function row({ job, floor, amends }: Result): readonly string[] {
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
  ];
}

function markOf({ job, floor, amends }: Result): readonly Mark[] {
  if (job.throughputMin === null) return [];
  const value = ratioOf(amends, floor, 'sagasPerS');
  return [{ name: `throughput of ${job.kind}`, value, bound: 'at least', limit: job.throughputMin, unit: '× its relay' }];
}
