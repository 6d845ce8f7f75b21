/** Reads the event stream of `go test -json` into results. */
import type { CaseResult } from './case-result.ts';

/** Gathers the events of one run of `go test -json`. */
export interface GoReport {
  /** Takes one line of the stream; a line that is no event is kept as loose output. */
  accept(line: string): void;
  /** Top-level tests that have ended, and how many of them failed. */
  tally(): { readonly started: boolean; readonly done: number; readonly failed: number };
  /**
   * The results of all leaf tests in the order in which they started.
   * @param exitCode of `go test`; when it is not 0 at least one result is a failure
   */
  results(exitCode: number | null): readonly CaseResult[];
}

/** One event, as far as it is used here (`go doc test2json`). */
interface GoEvent {
  readonly Action: string;
  readonly Test?: string;
  readonly Elapsed?: number;
  readonly Output?: string;
}

interface Entry {
  outcome: CaseResult['outcome'] | null;
  seconds: number;
  output: string;
}

const outcomes: Readonly<Record<string, CaseResult['outcome']>> = { pass: 'passed', fail: 'failed', skip: 'skipped' };

/** Starts an empty report. */
export function createGoReport(): GoReport {
  const entries = new Map<string, Entry>();
  let loose = '';

  function accept(line: string): void {
    const event = parseEvent(line);
    if (event?.Test === undefined) {
      loose += event === null ? `${line}\n` : (event.Output ?? '');
      return;
    }
    const entry = entries.get(event.Test) ?? { outcome: null, seconds: 0, output: '' };
    entries.set(event.Test, entry);
    entry.output += isFraming(event.Output) ? '' : (event.Output ?? '');
    const outcome = outcomes[event.Action];
    if (outcome === undefined) return;
    entry.outcome = outcome;
    entry.seconds = event.Elapsed ?? 0;
  }

  function tally() {
    const ended = [...entries].filter(([name, entry]) => !name.includes('/') && entry.outcome !== null);
    return {
      started: entries.size > 0,
      done: ended.length,
      failed: ended.filter(([, entry]) => entry.outcome === 'failed').length,
    };
  }

  function results(exitCode: number | null): readonly CaseResult[] {
    const found = [...entries].filter(([name]) => speaksForItself(entries, name)).map(([name, entry]) => resultOf(name, entry));
    if (exitCode === 0 || found.some((result) => result.outcome === 'failed')) return found;
    return [...found, { name: 'go test', outcome: 'failed', seconds: 0, output: loose || `ended with code ${exitCode}` }];
  }

  return { accept, tally, results };
}

function parseEvent(line: string): GoEvent | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as GoEvent;
  } catch {
    return null;
  }
}

/** Lines such as `=== RUN` and `--- PASS:` repeat what the events say. */
function isFraming(output: string | undefined): boolean {
  return output !== undefined && /^\s*(===|---) /.test(output);
}

/** A test with subtests only counts when it failed and none of them did. */
function speaksForItself(entries: ReadonlyMap<string, Entry>, name: string): boolean {
  const parts = [...entries].filter(([other]) => other.startsWith(`${name}/`));
  if (parts.length === 0) return true;
  return entries.get(name)?.outcome !== 'passed' && !parts.some(([, part]) => part.outcome !== 'passed');
}

function resultOf(name: string, { outcome, seconds, output }: Entry): CaseResult {
  if (outcome !== null) return { name, outcome, seconds, output };
  return { name, outcome: 'failed', seconds, output: `${output}did not finish: the run broke off\n` };
}
