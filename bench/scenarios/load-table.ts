/** The table of subjects under load, each next to the floor. */
import { type Measured, medianOf, ratioOf } from '../meters/measurement.ts';
import { decimal } from '../report/figures.ts';
import type { Table } from '../report/findings.ts';

/** A column more: its heading, and what stands in it. */
export interface MoreColumn {
  readonly heading: string;
  show(one: Measured): string;
}

/** p99 of each, in milliseconds. */
export const p99Column: MoreColumn = { heading: 'p99 ms', show: (one) => decimal(medianOf(one, 'p99Ms'), 1) };

/** @param measured the floor first */
export function loadTable(measured: readonly Measured[], more: readonly MoreColumn[] = []): Table {
  const floor = measured[0]!;
  return {
    columns: ['', 'sagas/s', '× floor', 'CPU µs/saga', '× floor', 'p50 ms', ...more.map(({ heading }) => heading)],
    rows: measured.map((one) => [
      one.subject.name,
      decimal(medianOf(one, 'sagasPerS')),
      decimal(ratioOf(one, floor, 'sagasPerS'), 2),
      decimal(medianOf(one, 'cpuMicros')),
      decimal(ratioOf(one, floor, 'cpuMicros'), 2),
      decimal(medianOf(one, 'p50Ms'), 1),
      ...more.map(({ show }) => show(one)),
    ]),
  };
}

/** Commits of each saga, and batches that held them. */
export const commitColumns: readonly MoreColumn[] = [
  { heading: 'commits/saga', show: (one) => decimal(medianOf(one, 'commitsPerSaga'), 2) },
  { heading: 'batches/saga', show: (one) => decimal(medianOf(one, 'batchesPerSaga'), 3) },
];
