/** The findings for people, and as a file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { BenchOptions } from '../run/bench.ts';
import { decimal } from './figures.ts';
import { type Findings, isMet, type Mark, type Table } from './findings.ts';

/** A run and what it found, as it is kept in a file. */
export interface Report extends Findings {
  readonly at: string;
  readonly machine: { readonly cores: number; readonly cpu: string; readonly memoryBytes: number; readonly node: string };
  readonly options: BenchOptions;
  /** Processes that wanted to run in the minute before, on average. */
  readonly loadBefore: number;
}

/** Adds to the findings where and how they were found. */
export function makeReport(options: BenchOptions, loadBefore: number, findings: Findings): Report {
  const machine = {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    node: process.versions.node,
  };
  const notes = [...findings.notes, ...busyNotes(loadBefore, machine.cores)];
  return { at: new Date().toISOString(), machine, options, loadBefore, ...findings, notes };
}

/** Load per core from which on figures scatter. */
const busyLoad = 0.25;

function busyNotes(loadBefore: number, cores: number): readonly string[] {
  if (loadBefore < busyLoad * cores) return [];
  return [
    `the machine was busy with other things (load ${decimal(loadBefore, 1)} on ${cores} cores): the figures scatter, measure again`,
  ];
}

/** Writes a result as JSON, with the folders it needs. */
export function writeReport(file: string, result: Report): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
}

/** The whole as text. */
export function reportText(result: Report): string {
  const { options, machine, tables, marks, notes } = result;
  const head = `${options.scenario}: ${subjectOf(options)}; ${machine.cores} × ${machine.cpu}, Node ${machine.node}`;
  const parts = [head, ...tables.map(tableText), marks.map(markText).join('\n'), notes.map((note) => `note: ${note}`).join('\n')];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function subjectOf({ target, fsyncDelayMs, baseline }: BenchOptions): string {
  if (target !== null) return target;
  const slower = fsyncDelayMs > 0 ? `, every commit ${fsyncDelayMs} ms longer` : '';
  return `amends serve on SQLite${slower}${baseline === null ? '' : `, baseline ${baseline}`}`;
}

function tableText({ columns, rows }: Table): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]!.length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]! + 2))).join('');
  return [columns, ...rows].map((cells) => line(cells).trimEnd()).join('\n');
}

function markText(mark: Mark): string {
  const met = isMet(mark);
  const verdict = met === null ? '     ?' : met ? '   met' : 'MISSED';
  const { name, value, bound, limit, unit } = mark;
  return `${verdict}  ${name}: ${decimal(value, limit < 10 ? 2 : 0)} ${unit} (${bound} ${decimal(limit, limit < 10 ? 2 : 0)})`;
}
