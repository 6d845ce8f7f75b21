/** Reads what a suite tells line by line: one JSON object per case, and whatever else it says. */
import type { CaseResult } from './case-result.ts';

/** Gathers the lines of one run. */
export interface LineReport {
  /** Takes one line; one that tells of no case is kept for the case that fails next, or for the end. */
  accept(line: string): void;
  tally(): { readonly done: number; readonly failed: number };
  /**
   * The results, in the order in which they were told.
   * @param caseNames those that must be among them
   * @param exitCode of the program; when it is not 0 at least one result is a failure
   */
  results(caseNames: readonly string[], exitCode: number | null): readonly CaseResult[];
}

/** Starts an empty report. */
export function createLineReport(): LineReport {
  const found: CaseResult[] = [];
  let loose = '';
  const countFailed = () => found.filter(({ outcome }) => outcome === 'failed').length;
  return {
    accept(line) {
      const result = parseLine(line);
      if (result === null) loose += `${line}\n`;
      else found.push(result);
    },
    tally: () => ({ done: found.length, failed: countFailed() }),
    results(caseNames, exitCode) {
      const told = new Set(found.map(({ name }) => name));
      const absent = caseNames.filter((name) => !told.has(name));
      const all = [...found, ...absent.map((name) => failure(name, `did not run\n${loose}`))];
      return exitCode === 0 || countFailed() + absent.length > 0
        ? all
        : [...all, failure('the program', loose || `ended with code ${exitCode}`)];
    },
  };
}

function failure(name: string, output: string): CaseResult {
  return { name, outcome: 'failed', seconds: 0, output };
}

function parseLine(line: string): CaseResult | null {
  if (!line.startsWith('{"name"')) return null;
  try {
    return JSON.parse(line) as CaseResult;
  } catch {
    return null;
  }
}
