/**
 * Golden transcripts: every file in `transcripts/saga` tells one story. A line that begins with `>` is an event, the
 * lines below it what core answered. `UPDATE_TRANSCRIPTS=1 npm test` writes the answers anew; review them as a diff.
 *
 * First line: `saga FACE [option=value …] : STEP …`, a STEP being `name` (compensatable), `name!` (pivot), `name+`
 * (retriable), `name-` (nothing to undo), `-` (nothing to call), each with `<a,b` for the names it comes after.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  branchIdOfStep,
  checkSagaSpec,
  type Decided,
  decide,
  defaultRetry,
  type EpochMs,
  type Exchange,
  epochMs,
  fromRow,
  type Gid,
  type HistoryEntry,
  isFinished,
  nodeId,
  type Op,
  type OpState,
  type Outcome,
  type OutcomeClass,
  type RetryPolicy,
  type SagaSpec,
  type SagaStep,
  type Transaction,
  type TransactionEvent,
  toRow,
} from './index.ts';

const folder = new URL('../transcripts/saga/', import.meta.url);
const start = 1_000_000;

for (const file of readdirSync(folder).sort()) {
  test(`transcript ${file}`, () => {
    const told = readFileSync(new URL(file, folder), 'utf8');
    const replayed = replay(told);
    if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(new URL(file, folder), replayed);
    else expect(replayed).toBe(told);
  });
}

function replay(told: string): string {
  const lines = told.split('\n');
  const out: string[] = [];
  let spec: SagaSpec | null = null;
  let tx: Transaction | null = null;
  for (const line of lines) {
    if (line.startsWith('#') || line === '') out.push(line);
    else if (line.startsWith('saga ')) {
      spec = parseSpec(line);
      checkSagaSpec(spec);
      out.push(line);
    } else if (line.startsWith('>')) {
      const events = line
        .slice(1)
        .split('&')
        .map((text) => parseEvent(text.trim(), tx));
      const decided = decide(tx, spec!, events);
      tx = throughTheStore(decided.next);
      out.push(line, ...describe(decided));
    }
  }
  return `${out.join('\n').trimEnd()}\n`;
}

/** What is stored and read back must be what was decided. */
function throughTheStore(tx: Transaction): Transaction {
  const back = fromRow(toRow(tx, { dueAt: null, waitsFor: '', errorPrint: '' }));
  expect(back).toEqual(tx);
  return back;
}

function parseSpec(line: string): SagaSpec {
  const [head = '', steps = ''] = line.split(' : ');
  const [, face, ...options] = head.split(' ');
  const option = Object.fromEntries(options.map((text) => text.split('=') as [string, string]));
  const words = steps.trim().split(/ +/);
  const names = words.map((word) => word.split('<')[0]!.replace(/[!+-]$/, ''));
  return {
    mode: 'saga',
    face: face === 'dtm' ? 'dtm' : 'native',
    steps: words.map((word, index) => parseStep(word, index, { names, option })),
    payloads: words.map(() => new Uint8Array()),
    timeoutMs: option['timeout'] === undefined ? null : Number(option['timeout']),
    timeoutReason: 'Timeout after 9 seconds',
    alarmAfterMs: option['alarm'] === undefined ? null : Number(option['alarm']),
    headers: {},
    trace: null,
    presentation: {},
  };
}

function parseStep(word: string, index: number, given: { names: string[]; option: Record<string, string> }): SagaStep {
  const [label = '', after] = word.split('<');
  const name = label.replace(/[!+-]$/, '');
  const kind = label.endsWith('!') ? 'pivot' : label.endsWith('+') ? 'retriable' : 'compensatable';
  const silent = name === '' || label.endsWith('-') || kind !== 'compensatable';
  const serial = given.option['concurrent'] !== 'yes';
  return {
    kind,
    action: name === '' ? '' : `http://x/${name}`,
    compensate: silent ? '' : `http://x/un${name}`,
    timeoutMs: Number(given.option['call'] ?? 3000),
    actionRetry: parsePolicy(given.option['retry']),
    compensateRetry: parsePolicy(given.option['unretry']),
    after:
      after !== undefined ? after.split(',').map((other) => given.names.indexOf(other)) : serial && index > 0 ? [index - 1] : [],
  };
}

function parsePolicy(text: string | undefined): RetryPolicy {
  if (text === undefined) return defaultRetry;
  const [kind, delay, max, attempts, atEnd] = text.split('/');
  return {
    kind: kind === 'fixed' ? 'fixed' : 'exponential',
    delayMs: Number(delay),
    delayMsMax: Number(max),
    attemptsMax: attempts === undefined ? null : Number(attempts),
    atEnd: atEnd === 'roll-back' ? 'roll-back' : 'hold',
  };
}

/** `@MS submit | wake | recover | retry BY [vN] | terminate BY [vN] | ID OP CLASS [#ATTEMPT] [EXCHANGE] [j=JITTER]` */
function parseEvent(text: string, tx: Transaction | null): TransactionEvent {
  const [moment = '', verb = '', ...rest] = text.split(/ +/);
  const jitter = Number(rest.find((word) => word.startsWith('j='))?.slice(2) ?? 0);
  const when = { at: epochMs(start + Number(moment.slice(1))), jitter };
  switch (verb) {
    case 'submit':
      return { ...when, type: 'submitted', gid: 'g' as Gid, owner: nodeId('n') };
    case 'wake':
      return { ...when, type: 'woken' };
    case 'recover':
      return { ...when, type: 'recovered' };
    case 'retry':
    case 'terminate': {
      const version = rest.find((word) => /^v\d+$/.test(word));
      return {
        ...when,
        type: 'intervened',
        verb,
        actor: rest[0]!,
        reason: 'because',
        expectedVersion: version === undefined ? null : Number(version.slice(1)),
      };
    }
    default: {
      const branch = Number(verb) - 1;
      const op = rest[0] as Op;
      const running = tx?.branches[branch]?.[op];
      const numbered = rest.find((word) => word.startsWith('#'));
      const attempt = numbered ? Number(numbered.slice(1)) : running && 'attempts' in running ? running.attempts : 1;
      return { ...when, type: 'answered', branch, op, attempt, outcome: parseOutcome(rest) };
    }
  }
}

function parseOutcome(words: readonly string[]): Outcome {
  const verdict = words[1] as OutcomeClass;
  const exchange = (words.find((word) => /^(unsent|refused|answered|broken)$/.test(word)) ?? 'answered') as Exchange;
  const detail = verdict === 'failure' ? 'no money' : '';
  return { class: verdict, code: exchange === 'answered' ? `http_${verdict}` : exchange, detail, exchange, durationMs: 7 };
}

function describe(decided: Decided): string[] {
  const { next } = decided;
  const state = next.branches.map(
    (branch, index) => `${branchIdOfStep(index)} ${opText(branch.action)} ⟲ ${opText(branch.compensate)}`,
  );
  const decision =
    next.decision === null ? '' : ` decided ${next.decision.direction} by ${next.decision.actor} at row ${next.decision.seq}`;
  const held = next.hold === null ? '' : ` HOLD ${next.hold.branchId} ${next.hold.op} ${next.hold.code}`;
  const overdue = next.overdueSince === null ? '' : ` OVERDUE since ${relative(next.overdueSince)}`;
  const wake = decided.wakeAt === null ? (isFinished(next) ? '' : ' no wake') : ` wake ${relative(decided.wakeAt)}`;
  return [
    ...decided.verdicts.filter((verdict) => verdict !== 'taken').map((verdict) => `  verdict ${verdict}`),
    `  ${next.status} v${next.version}${decision}${held}${overdue}${wake}${next.reason === '' ? '' : ` "${next.reason}"`}`,
    `  ${state.join(' | ')}`,
    ...decided.history.map((entry) => `  row ${rowText(entry)}`),
    ...decided.effects.map((effect) => `  call ${branchIdOfStep(effect.branch)} ${effect.op} #${effect.attempt}`),
  ];
}

function opText(op: OpState): string {
  switch (op.at) {
    case 'idle':
      return '·';
    case 'running':
      return `running#${op.attempts} since ${relative(op.startedAt)}${settledText(op.settledAt)}`;
    case 'waiting':
      return `waiting#${op.attempts} due ${relative(op.dueAt)}${op.unknowns > 0 ? ` unknown×${op.unknowns}` : ''}${settledText(op.settledAt)}`;
    default:
      return `${op.at}#${op.attempts}${settledText(op.settledAt)}`;
  }
}

function settledText(settledAt: EpochMs): string {
  return settledAt === 0 ? '' : ` over ${relative(settledAt)}`;
}

function relative(moment: EpochMs): string {
  return `+${moment - start}`;
}

function rowText(entry: HistoryEntry): string {
  const words = [
    entry.seq,
    entry.kind,
    entry.branchId,
    entry.op,
    entry.attempt === null ? null : `#${entry.attempt}`,
    entry.outcome,
  ];
  return [...words, entry.code, entry.detail === null ? null : `"${entry.detail}"`, entry.actor, `→ ${entry.status}`]
    .filter((word) => word !== null)
    .join(' ');
}
