/** Whether transactions that wait for a participant which never answers slow down the others. */
import { type AmendsServer, startAmends } from '../amends-server.ts';
import { decimal } from '../figures.ts';
import { errorNotes, measureInTurns, medianOf, ratioOf } from '../measurement.ts';
import { gidMaker, sagaBody } from '../saga-request.ts';
import type { Bench, Findings, Scenario } from '../scenario.ts';

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
  const branchUrls = [bench.participants.first, bench.participants.second] as const;
  const calm = await startAmends({ name: 'calm' }, bench);
  const troubled = await startAmends({ name: 'troubled' }, bench);
  await submitWaiting(troubled, bench.participants.silent);
  const subjects = [
    { ...calm, name: 'without', branchUrls },
    { ...troubled, name: `with ${waiting} that wait`, branchUrls },
  ];
  const samples = await measureInTurns(bench, subjects);
  const [before, during] = [samples[0]!, samples[1]!];
  return {
    tables: [
      {
        columns: ['', 'sagas/s', 'CPU µs/saga', 'p50 ms', 'p99 ms'],
        rows: subjects.map(({ name }, index) => [
          name,
          decimal(medianOf(samples[index]!, 'sagasPerS')),
          decimal(medianOf(samples[index]!, 'cpuMicros')),
          decimal(medianOf(samples[index]!, 'p50Ms'), 1),
          decimal(medianOf(samples[index]!, 'p99Ms'), 1),
        ]),
      },
    ],
    marks: [
      {
        name: 'throughput beside a dead host',
        value: ratioOf(during, before, 'sagasPerS'),
        bound: 'at least',
        limit: 0.9,
        unit: '× without',
      },
    ],
    notes: errorNotes(subjects, samples),
    measurements: { subjects, samples },
  };
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
