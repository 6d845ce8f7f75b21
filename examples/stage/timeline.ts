/** A transaction's history as a table for people: when, which step, at which service, how it ended, how long it took. */
import { styleText } from 'node:util';
import type { HistoryEntry, Transaction } from '@amends/client';

/** Colours only where a terminal shows them; NO_COLOR and FORCE_COLOR are obeyed. */
export function paint(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

type Colour = 'green' | 'red' | 'yellow' | 'dim';

interface Line {
  readonly atMs: number;
  readonly step: string;
  readonly service: string;
  readonly outcome: string;
  readonly colour: Colour;
  readonly durationMs: number | null;
  readonly remark: string;
}

/**
 * The table, one string per line. Texts of others must have been made fit for a terminal.
 * @param url the services' addresses by name
 */
export function timeline(
  transaction: Transaction,
  history: readonly HistoryEntry[],
  url: Readonly<Record<string, string>>,
): readonly string[] {
  const lines = mergeRepeats(history.filter(({ kind }) => kind !== 'submitted').map((entry) => lineOf(transaction, entry, url)));
  const width = (column: 'step' | 'service' | 'outcome') => Math.max(...lines.map((line) => line[column].length), 1);
  const widths = { step: width('step'), service: width('service'), outcome: width('outcome') };
  return [...lines.map((line) => row(line, widths)), end(transaction)];
}

function lineOf(transaction: Transaction, entry: HistoryEntry, url: Readonly<Record<string, string>>): Line {
  const { branchId, op, outcome, kind, durationMs, attempt } = entry;
  const call = transaction.branches.find((each) => each.branchId === branchId)?.calls.find((each) => each.op === op);
  const called = call === undefined || call.url === '' ? null : new URL(call.url);
  const remark = outcome === 'success' ? '' : [entry.detail, entry.code?.startsWith('http_') ? null : entry.code].find(Boolean);
  return {
    atMs: Date.parse(entry.at) - Date.parse(transaction.createdAt),
    step: called?.pathname.slice(1) ?? '',
    service: Object.keys(url).find((name) => called !== null && url[name] === called.origin) ?? '',
    ...wordOf(outcome, op, kind),
    durationMs,
    remark: [attempt !== null && attempt > 1 ? `attempt ${attempt}` : '', remark ?? ''].filter(Boolean).join(', '),
  };
}

function wordOf(outcome: HistoryEntry['outcome'], op: HistoryEntry['op'], kind: string): { outcome: string; colour: Colour } {
  switch (outcome) {
    case 'success':
      return op === 'compensate' ? { outcome: 'undone', colour: 'yellow' } : { outcome: 'done', colour: 'green' };
    case 'failure':
      return { outcome: 'refused', colour: 'red' };
    case 'ongoing':
      return { outcome: 'not yet', colour: 'dim' };
    case 'unknown':
      return { outcome: 'no answer', colour: 'red' };
    default:
      return { outcome: kind, colour: 'yellow' };
  }
}

/** Equal answers that follow each other become one line that counts them. */
function mergeRepeats(lines: readonly Line[]): Line[] {
  const result: (Line & { times: number })[] = [];
  for (const line of lines) {
    const last = result.at(-1);
    const same = last !== undefined && last.step === line.step && last.service === line.service && last.outcome === line.outcome;
    if (!same) result.push({ ...line, times: 1 });
    else result[result.length - 1] = { ...line, atMs: last.atMs, times: last.times + 1 };
  }
  return result.map(({ times, ...line }) => (times === 1 ? line : { ...line, outcome: `${line.outcome} ×${times}` }));
}

function row(line: Line, widths: Readonly<Record<'step' | 'service' | 'outcome', number>>): string {
  const at = paint('dim', `${line.atMs} ms`.padStart(8));
  const where = `${line.step.padEnd(widths.step)}  ${line.service.padEnd(widths.service)}`;
  const took = line.durationMs === null ? '' : `${line.durationMs} ms`;
  const outcome = paint(line.colour, line.outcome.padEnd(widths.outcome));
  return `${at}  ${where}  ${outcome}  ${took.padStart(8)}  ${paint('dim', line.remark)}`.trimEnd();
}

function end({ outcome, decision, createdAt, finishedAt, reason }: Transaction): string {
  const tookMs = finishedAt === null ? '' : ` after ${Date.parse(finishedAt) - Date.parse(createdAt)} ms`;
  if (outcome === 'succeeded') return paint('green', `          all done${tookMs}`);
  if (decision?.direction === 'terminate') return paint('red', `          terminated as it stood${tookMs}: ${reason}`);
  if (outcome === 'failed') return paint('yellow', `          all undone${tookMs}: ${reason}`);
  return paint('red', '          still running');
}
