/** A change held against the checkout it is a change of: both servers are measured in the same rounds. */
import type { BranchUrls } from '../load/saga-request.ts';
import { type Figure, type Measured, medianOf, quotient, ratioOf } from '../meters/measurement.ts';
import type { Memory } from '../meters/process-meter.ts';
import { decimal, megabytes } from '../report/figures.ts';
import type { Table } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import type { Subject } from '../servers/subject.ts';

/** The same work, done by both. */
export interface Pair {
  readonly now: Measured;
  readonly baseline: Measured;
}

/** The baseline as a subject, in a list; none without one. @param name of the same work done by this checkout */
export async function startBaseline(bench: Bench, name: string, branchUrls: BranchUrls): Promise<readonly Subject[]> {
  const { baseline } = bench.options;
  if (baseline === null) return [];
  const server = await startAmends({ name: `baseline-${name.replaceAll(' ', '-')}`, checkout: baseline }, bench);
  return [{ ...server, name: `baseline, ${name}`, branchUrls }];
}

interface FigureLine {
  readonly title: string;
  readonly digits: number;
}

const lines: Readonly<Record<Figure, FigureLine>> = {
  sagasPerS: { title: 'per second', digits: 0 },
  cpuMicros: { title: 'CPU µs', digits: 0 },
  p50Ms: { title: 'p50 ms', digits: 1 },
  p99Ms: { title: 'p99 ms', digits: 1 },
  commitsPerSaga: { title: 'commits', digits: 2 },
  batchesPerSaga: { title: 'batches', digits: 3 },
  writtenBytes: { title: 'bytes written', digits: 0 },
};

/**
 * One line for each figure of each pair; a quotient is the median of those of the rounds. No table of no pairs.
 * @param figures which; default: all, and memory
 */
export function baselineTables(pairs: readonly Pair[], figures?: readonly Figure[]): readonly Table[] {
  if (pairs.length === 0) return [];
  const shown = figures ?? (Object.keys(lines) as Figure[]);
  const rows = pairs.flatMap((pair) => [
    ...shown.map((figure) => figureRow(pair, figure)),
    ...(figures === undefined ? memoryRows(pair) : []),
  ]);
  return [{ columns: ['against the baseline', 'baseline', 'now', 'now / baseline'], rows }];
}

function figureRow({ now, baseline }: Pair, figure: Figure): readonly string[] {
  const { title, digits } = lines[figure];
  return [
    `${now.subject.name}: ${title}`,
    decimal(medianOf(baseline, figure), digits),
    decimal(medianOf(now, figure), digits),
    decimal(ratioOf(now, baseline, figure), 2),
  ];
}

function memoryRows({ now, baseline }: Pair): readonly (readonly string[])[] {
  const row = (title: string, bytesOf: (memory: Memory) => number) => {
    const [before, after] = [baseline, now].map(({ memory }) => (memory === null ? null : bytesOf(memory)));
    return [`${now.subject.name}: ${title}`, megabytes(before), megabytes(after), decimal(quotient(after!, before!), 2)];
  };
  return [row('RSS MB, peak', ({ peakBytes }) => peakBytes), row('RSS MB, at the end', ({ residentBytes }) => residentBytes)];
}
