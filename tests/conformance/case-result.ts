/** What became of one case of a conformance suite, and what a suite is. */
import type { Startable } from '../../tools/services/kinds.ts';

/** What became of one case. */
export interface CaseResult {
  /** As the suite's own tool names it, so that one case can be run again by that name. */
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** What the case said; empty when it said nothing. */
  readonly output: string;
}

/** How far a suite has come. */
export interface Progress {
  readonly phase: 'building' | 'running';
  readonly done: number;
  readonly failed: number;
}

/** A suite: one foreign client library that drives a running server. */
export interface Suite {
  readonly name: string;
  /** The client library and its version. */
  readonly client: string;
  /** Databases that some of its cases need; those are skipped where one is missing. */
  readonly services: readonly Startable[];
  /** Why the suite cannot run on this machine and how to change that; null when it can. */
  missing(): string | null;
  /** The names of its top-level cases, known before it runs. */
  caseNames(): readonly string[];
  /**
   * Runs all cases.
   * @returns one result per case; a run that broke off ends with failed cases, never with fewer
   */
  run(request: SuiteRequest): Promise<readonly CaseResult[]>;
}

/** The server under test. */
export interface Target {
  /** Root of its HTTP side, such as http://127.0.0.1:36789. */
  readonly url: string;
  /** Address of its gRPC side, `host:port`. */
  readonly grpcAddress: string;
}

/** What a suite is given. */
export interface SuiteRequest extends Target {
  /** The addresses of the databases that run. */
  readonly services: Readonly<Partial<Record<Startable, string>>>;
  onProgress?(progress: Progress): void;
  /** Ends the suite and its processes early. */
  readonly signal?: AbortSignal;
}

/** The closing line: `N passed, N failed`, with `, N skipped` when there are any. */
export function closingLine(results: readonly CaseResult[]): string {
  const count = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
  const skipped = count('skipped');
  return `${count('passed')} passed, ${count('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** One line per case, in columns: case, result, seconds; below it, what the failed ones said. */
export function resultTable(results: readonly CaseResult[]): string {
  const width = Math.max(4, ...results.map((result) => result.name.length));
  const row = (name: string, outcome: string, seconds: string) =>
    `${name.padEnd(width)}  ${outcome.padEnd(7)}  ${seconds.padStart(7)}`;
  const rows = results.map((result) => row(result.name, result.outcome, result.seconds.toFixed(2)));
  const failures = results
    .filter((result) => result.outcome === 'failed')
    .map((result) => `\nfailed: ${result.name}\n${result.output.trimEnd()}`);
  return [row('case', 'result', 'seconds'), ...rows, ...failures].join('\n');
}
