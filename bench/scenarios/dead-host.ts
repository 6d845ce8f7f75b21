/**
 * Whether transactions that wait for a participant which never answers slow down the others, also after a crash of the server.
 */
import { join } from 'node:path';
import { gidMaker, sagaBody } from '../load/saga-request.ts';
import { errorNotes, measureInTurns, medianOf, ratioOf } from '../meters/measurement.ts';
import { decimal } from '../report/figures.ts';
import type { Findings } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { type AmendsServer, startAmends } from '../servers/amends-server.ts';
import type { Scenario } from './scenario.ts';

/** Transactions that wait. */
const waiting = 200;
/** Longer than the scenario lasts, so that they wait all the time. */
const callTimeoutS = 600;

export const deadHost: Scenario = {
  name: 'dead-host',
  summary: `whether ${waiting} transactions that wait for a dead host slow down the others`,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const branchUrls = bench.participants.http;
  const calm = await startAmends({ name: 'calm' }, bench);
  const troubled = await startAmends({ name: 'troubled' }, bench);
  await submitWaiting(troubled, bench.participants.silent);
  const recovered = await restart(bench);
  const subjects = [
    { ...calm, name: 'without', branchUrls },
    { ...troubled, name: `with ${waiting} that wait`, branchUrls },
    { ...recovered, name: 'with as many after a crash', branchUrls },
  ];
  const measured = await measureInTurns(bench, subjects);
  const before = measured[0]!;
  return {
    tables: [
      {
        columns: ['', 'sagas/s', 'CPU µs/saga', 'p50 ms', 'p99 ms'],
        rows: measured.map((one) => [
          one.subject.name,
          decimal(medianOf(one, 'sagasPerS')),
          decimal(medianOf(one, 'cpuMicros')),
          decimal(medianOf(one, 'p50Ms'), 1),
          decimal(medianOf(one, 'p99Ms'), 1),
        ]),
      },
    ],
    marks: ['beside a dead host', 'after a crash beside a dead host'].map((when, index) => ({
      name: `throughput ${when}`,
      value: ratioOf(measured[index + 1]!, before, 'sagasPerS'),
      bound: 'at least',
      limit: 0.9,
      unit: '× without',
    })),
    notes: errorNotes(measured),
    measurements: { measured },
  };
}

/** A server that found those that wait in its store, after another was killed. */
async function restart(bench: Bench): Promise<AmendsServer> {
  const file = join(bench.scratch.folder, 'crashed.db');
  const crashed = await startAmends({ name: 'crashed', file }, bench);
  await submitWaiting(crashed, bench.participants.silent);
  await crashed.kill();
  return startAmends({ name: 'recovered', file }, bench);
}

async function submitWaiting({ url }: AmendsServer, silentUrl: string): Promise<void> {
  const nextGid = gidMaker('time');
  const submit = async () => {
    const saga = { ...sagaBody(nextGid(), [silentUrl, silentUrl]), wait_result: false, request_timeout: callTimeoutS };
    const body = JSON.stringify(saga);
    const response = await fetch(`${url}/api/dtmsvr/submit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (!response.ok) throw new Error(`${url} does not take a saga: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  };
  await Promise.all(Array.from({ length: waiting }, submit));
}
