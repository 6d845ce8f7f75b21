/** One measurement: load on one server for a while, and what it cost that server's process. */

import { median } from '../load/statistics.ts';
import type { Bench } from '../run/bench.ts';
import type { Subject } from '../servers/subject.ts';
import { readCounts, type ServerCounts } from './metrics-page.ts';
import { type Usage, usageOf } from './process-meter.ts';

/** What was measured. Costs are null where they could not be read. */
export interface Sample {
  readonly sagas: number;
  /** Sagas that were not answered with success. */
  readonly errors: number;
  readonly sagasPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the server's process, all threads. Per saga. */
  readonly cpuMicros: number | null;
  /** Per saga. */
  readonly writtenBytes: number | null;
  /** Commits in all, and per saga. */
  readonly batches: number | null;
  readonly batchesPerSaga: number | null;
}

interface Cost {
  readonly usage: Usage | null;
  readonly counts: ServerCounts | null;
}

/** Measures once. @param ratePerS sagas per second; null: as many as go */
export async function measure(bench: Bench, subject: Subject, ratePerS: number | null = null): Promise<Sample> {
  const { connections, seconds, gidOrder } = bench.options;
  const { branchUrls, kind = 'saga', loadUrl: url = subject.url } = subject;
  const before = await costOf(subject);
  const beganAt = performance.now();
  const result = await bench.load.run({ kind, url, branchUrls, gidOrder, connections, seconds, ratePerS }, (sagas) =>
    bench.progress.tick(`${Math.round(sagas / ((performance.now() - beganAt) / 1000))} sagas/s`),
  );
  const after = await costOf(subject);
  const { sagas, errors, p50Ms, p99Ms } = result;
  const batches = difference(before.counts?.batches, after.counts?.batches);
  return {
    sagas,
    errors,
    sagasPerS: sagas / result.seconds,
    p50Ms,
    p99Ms,
    cpuMicros: share(difference(before.usage?.cpuMicros, after.usage?.cpuMicros), sagas),
    writtenBytes: share(difference(before.usage?.writtenBytes, after.usage?.writtenBytes), sagas),
    batches,
    batchesPerSaga: share(batches, sagas),
  };
}

async function costOf({ pid, url }: Subject): Promise<Cost> {
  const counts = await readCounts(url).catch(() => null);
  return { usage: pid === null ? null : usageOf(pid), counts };
}

function difference(before: number | undefined, after: number | undefined): number | null {
  return before === undefined || after === undefined ? null : after - before;
}

function share(total: number | null, count: number): number | null {
  return total === null || count === 0 ? null : total / count;
}

const warmUpRounds = 3;

/**
 * Measures each subject once in each round, in turns, so that whatever else happens on the machine meets all of them.
 * Three rounds before count for nothing: a server has compiled what is hot after some 50,000 sagas, not before.
 * @returns the samples of each subject, by round
 */
export async function measureInTurns(bench: Bench, subjects: readonly Subject[]): Promise<readonly (readonly Sample[])[]> {
  const samples: Sample[][] = subjects.map(() => []);
  for (let round = 1 - warmUpRounds; round <= bench.options.rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const turn = round < 1 ? 'warming up' : `round ${round} of ${bench.options.rounds}`;
      bench.progress.phase(`${turn}, ${subject.name}`);
      const sample = await measure(bench, subject);
      if (round >= 1) samples[index]!.push(sample);
    }
  }
  return samples;
}

/** A numeric field of a sample. */
export type Figure = Exclude<keyof Sample, 'sagas' | 'errors' | 'batches'>;

/** Median of a figure; null when any measurement lacks it. */
export function medianOf(samples: readonly Sample[], figure: Figure): number | null {
  const values = samples.map((sample) => sample[figure]);
  return values.every((value) => value !== null) ? median(values) : null;
}

/** Median of the quotients of two subjects' figures, round by round; null when any measurement lacks it. */
export function ratioOf(samples: readonly Sample[], floor: readonly Sample[], figure: Figure): number | null {
  const quotients = samples.map((sample, round) => quotient(sample[figure], floor[round]?.[figure] ?? null));
  return quotients.every((value) => value !== null) ? median(quotients) : null;
}

function quotient(value: number | null, of: number | null): number | null {
  return value === null || of === null ? null : value / of;
}

/** What did not succeed, in words; empty when all did. */
export function errorNotes(subjects: readonly Subject[], samples: readonly (readonly Sample[])[]): readonly string[] {
  return subjects.flatMap(({ name }, index) => {
    const errors = samples[index]!.reduce((sum, sample) => sum + sample.errors, 0);
    return errors === 0 ? [] : [`${name}: ${errors} sagas were NOT answered with success; its figures mean nothing`];
  });
}
