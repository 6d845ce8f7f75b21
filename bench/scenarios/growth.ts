/** Whether a saga costs more when many have been stored before it. */
import { join } from 'node:path';
import { errorNotes, type Measured, measureInTurns, medianOf, ratioOf } from '../meters/measurement.ts';
import { decimal } from '../report/figures.ts';
import type { Findings } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { type AmendsServer, startAmends } from '../servers/amends-server.ts';
import { writeStored } from '../servers/stored-transactions.ts';
import type { Scenario } from './scenario.ts';

const few = 1_000;
const manyDefault = 1_000_000;

export const growth: Scenario = {
  name: 'growth',
  summary: 'cost of a saga when 1,000 and when 1,000,000 finished ones are stored',
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const branchUrls = bench.participants.http;
  const servers = [await startWith(few, 'few', bench), await startWith(bench.options.count ?? manyDefault, 'many', bench)];
  const subjects = servers.map((server) => ({ ...server, branchUrls }));
  const [small, large] = (await measureInTurns(bench, subjects)) as readonly [Measured, Measured];
  return {
    tables: [
      {
        columns: ['stored before', 'sagas/s', 'CPU µs/saga', 'p50 ms', 'p99 ms', 'bytes written/saga'],
        rows: [small, large].map((one) => [
          one.subject.name,
          decimal(medianOf(one, 'sagasPerS')),
          decimal(medianOf(one, 'cpuMicros')),
          decimal(medianOf(one, 'p50Ms'), 1),
          decimal(medianOf(one, 'p99Ms'), 1),
          decimal(medianOf(one, 'writtenBytes')),
        ]),
      },
    ],
    marks: [
      {
        name: 'CPU with many stored',
        value: ratioOf(large, small, 'cpuMicros'),
        bound: 'at most',
        limit: 1.1,
        unit: '× with few',
      },
      {
        name: 'throughput with many stored',
        value: ratioOf(large, small, 'sagasPerS'),
        bound: 'at least',
        limit: 0.9,
        unit: '× with few',
      },
    ],
    notes: errorNotes([small, large]),
    measurements: { small, large },
  };
}

async function startWith(count: number, name: string, bench: Bench): Promise<AmendsServer> {
  const file = join(bench.scratch.folder, `${name}.db`);
  bench.progress.phase(`storing ${decimal(count)} finished transactions`);
  const stored = { count, as: 'finished', branchUrls: bench.participants.http } as const;
  const tick = (written: number) => bench.progress.tick(decimal(written));
  await writeStored(file, { ...stored, gidOrder: bench.options.gidOrder }, tick);
  const server = await startAmends({ name, file }, bench);
  return { ...server, name: decimal(count) };
}
