/** One measurement: load on one server for a while, and what it cost that server's process. */

import { median } from '../load/statistics.ts';
import type { Bench } from '../run/bench.ts';
import type { Subject } from '../servers/subject.ts';
import { readCounts, type ServerCounts } from './metrics-page.ts';
import { type Memory, readMemory, readUsage, type Usage } from './process-meter.ts';

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
  /** Durable commits that a saga takes part in. Per saga. */
  readonly commitsPerSaga: number | null;
  /** Batches of commits, each with one sync of the disk: in all, and per saga. */
  readonly batches: number | null;
  readonly batchesPerSaga: number | null;
}

/** All that was measured of one subject. */
export interface Measured {
  readonly subject: Subject;
  /** By round. */
  readonly samples: readonly Sample[];
  /** After the last round; null where it could not be read. */
  readonly memory: Memory | null;
}

interface Cost {
  readonly usage: Usage | null;
  readonly counts: ServerCounts | null;
}

/** How a measurement differs from what the options say. */
export interface Pace {
  /** Sagas per second; null: as many as go. Default: null. */
  readonly ratePerS?: number | null;
  /** Sagas under way at once. */
  readonly connections?: number;
  readonly seconds?: number;
}

/** Measures once. */
export async function measure(bench: Bench, subject: Subject, pace: Pace = {}): Promise<Sample> {
  const { gidOrder } = bench.options;
  const { ratePerS = null, connections = bench.options.connections, seconds = bench.options.seconds } = pace;
  const { branchUrls, kind = 'saga', loadUrl: url = subject.url } = subject;
  const before = await readCost(subject);
  const beganAt = performance.now();
  const result = await bench.load.run({ kind, url, branchUrls, gidOrder, connections, seconds, ratePerS }, (sagas) =>
    bench.progress.tick(`${Math.round(sagas / ((performance.now() - beganAt) / 1000))} sagas/s`),
  );
  const after = await readCost(subject);
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
    commitsPerSaga: share(difference(before.counts?.changes, after.counts?.changes), sagas),
    batches,
    batchesPerSaga: share(batches, sagas),
  };
}

async function readCost({ pid, url }: Subject): Promise<Cost> {
  const counts = await readCounts(url).catch(() => null);
  return { usage: pid === null ? null : readUsage(pid), counts };
}

function difference(before: number | undefined, after: number | undefined): number | null {
  return before === undefined || after === undefined ? null : after - before;
}

function share(total: number | null, count: number): number | null {
  return total === null || count === 0 ? null : total / count;
}

const warmUpRounds = 3;

/**
 * Measures each subject once in each round, in turns, so that whatever else happens on the machine meets all of them. Every
 * other round goes through them backwards, so that none has always the same one before it.
 * Three rounds before count for nothing: a server has compiled what is hot after some 50,000 sagas, not before.
 */
export async function measureInTurns(bench: Bench, subjects: readonly Subject[]): Promise<readonly Measured[]> {
  const samples = new Map(subjects.map((subject): [Subject, Sample[]] => [subject, []]));
  for (let round = 1 - warmUpRounds; round <= bench.options.rounds; round++) {
    const turn = round < 1 ? 'warming up' : `round ${round} of ${bench.options.rounds}`;
    for (const subject of round % 2 === 0 ? subjects.toReversed() : subjects) {
      bench.progress.phase(`${turn}, ${subject.name}`);
      const sample = await measure(bench, subject);
      if (round >= 1) samples.get(subject)!.push(sample);
    }
  }
  return subjects.map((subject) => ({
    subject,
    samples: samples.get(subject)!,
    memory: subject.pid === null ? null : readMemory(subject.pid),
  }));
}

/** A numeric field of a sample. */
export type Figure = Exclude<keyof Sample, 'sagas' | 'errors' | 'batches'>;

/** Median of a figure; null when any measurement lacks it. */
export function medianOf({ samples }: Measured, figure: Figure): number | null {
  return medianIfAll(samples.map((sample) => sample[figure]));
}

/** Median of the quotients of two subjects' figures, round by round; null when any measurement lacks it. */
export function ratioOf({ samples }: Measured, floor: Measured, figure: Figure): number | null {
  return medianIfAll(samples.map((sample, round) => quotient(sample[figure], floor.samples[round]?.[figure] ?? null)));
}

/** Median of the quotients of two figures of one subject, round by round. */
export function spreadOf({ samples }: Measured, figure: Figure, of: Figure): number | null {
  return medianIfAll(samples.map((sample) => quotient(sample[figure], sample[of])));
}

function medianIfAll(values: readonly (number | null)[]): number | null {
  return values.every((value) => value !== null) ? median(values) : null;
}

/** How many times the other; null when one of them is not known. */
export function quotient(value: number | null, of: number | null): number | null {
  return value === null || of === null ? null : value / of;
}

/** What did not succeed, in words; empty when all did. */
export function errorNotes(all: readonly Measured[]): readonly string[] {
  return all.flatMap(({ subject, samples }) => {
    const errors = samples.reduce((sum, sample) => sum + sample.errors, 0);
    return errors === 0 ? [] : [`${subject.name}: ${errors} sagas were NOT answered with success; its figures mean nothing`];
  });
}
