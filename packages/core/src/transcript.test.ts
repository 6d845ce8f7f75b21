/**
 * Golden transcripts: every file in `transcripts/MODE` tells one story. A line that begins with `>` is an event, the
 * lines below it what core answered. `UPDATE_TRANSCRIPTS=1 npm test` writes the answers anew; review them as a diff.
 *
 * First line: `MODE FACE [option=value …] : STEP …`. A STEP of a saga is `name` (compensatable), `name!` (pivot), `name+`
 * (retriable), `name-` (nothing to undo), `-` (nothing to call), each with `<a,b` for the names it comes after; of a message
 * `name` or `-`, or `name,name` for the subscribers of a topic. With `places=by-hand` calls are made when they get a `place`,
 * else at once. With `ahead=yes` what may be written later is not stored until something must be, and is not there for who
 * `recover`s. Branches of tcc and xa come by `register`. Lines `| NAME keeps`, `| NAME payload JSON` and `| NAME
 * compensatePayload JSON` say more of the step of a saga.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type BranchId,
  branchIdOfStep,
  branchIdOfSubscriber,
  callName,
  callPlan,
  checkSagaSpec,
  type Decided,
  decide,
  defaultRetry,
  type EpochMs,
  type Exchange,
  encodeRecord,
  epochMs,
  fromRow,
  type Gid,
  type Given,
  givenAtFirst,
  type HistoryEntry,
  isFinished,
  type Mode,
  nodeId,
  type OpState,
  type Outcome,
  type OutcomeClass,
  participantStuck,
  payloadTemplate,
  type RegisteredBranch,
  type RetryPolicy,
  readGiven,
  runsAheadUntil,
  type SagaSpec,
  type SagaStep,
  type Spec,
  type Transaction,
  type TransactionEvent,
  toRow,
  type Way,
  withRecords,
} from './index.ts';

const folder = new URL('../transcripts/', import.meta.url);
const start = 1_000_000;

for (const mode of readdirSync(folder).sort())
  for (const file of readdirSync(new URL(`${mode}/`, folder)).sort()) {
    test(`transcript ${mode}/${file}`, () => {
      const path = new URL(`${mode}/${file}`, folder);
      const told = readFileSync(path, 'utf8');
      const replayed = replay(told);
      if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(path, replayed);
      else expect(replayed).toBe(told);
    });
  }

const firstWord = /^(saga|msg|tcc|xa|workflow) /;

function replay(told: string): string {
  const out: string[] = [];
  let given: Given | null = null;
  let tx: Transaction | null = null;
  let stored: Transaction | null = null;
  const byHand = told.includes(' places=by-hand ');
  for (const line of told.split('\n')) {
    if (line.startsWith('#') || line === '') out.push(line);
    else if (firstWord.test(line)) {
      given = givenAtFirst(parseSpec(line));
      out.push(line);
    } else if (line.startsWith('|')) {
      given = givenAtFirst(withRemark(given!.spec as SagaSpec, line.slice(1).trim()));
      out.push(line);
    } else if (line.startsWith('>')) {
      if (tx === null && given!.spec.mode === 'saga') checkSagaSpec(given!.spec);
      if (line.endsWith(' recover')) tx = stored;
      const before: { given: Given; tx: Transaction | null } = { given: given!, tx };
      const events = line
        .slice(1)
        .split('&')
        .map((text) => parseEvent(text.trim(), before));
      const decided: Decided = byHand ? decide(tx, given!, events) : decideWithRoom(tx, given!, events);
      if (decided.mustCommit) stored = throughTheStore(commit(decided.next, withRecords(given!, decided.records)));
      tx = decided.mustCommit ? stored : decided.next;
      given = withStoredRecords(given!, decided);
      out.push(line, ...describe({ ...decided, next: tx! }, given));
    }
  }
  return `${out.join('\n').trimEnd()}\n`;
}

/** Where every call has its place at once. */
function decideWithRoom(tx: Transaction | null, given: Given, events: readonly TransactionEvent[]): Decided {
  const { ready } = decide(tx, given, events);
  const { at } = events.at(-1)!;
  return decide(tx, given, [
    ...events,
    ...ready.map(({ branch, way }) => ({ type: 'placed', branch, way, at, jitter: 0 }) as const),
  ]);
}

/** Who commits counts, and says how far it may run ahead. */
function commit(next: Transaction, given: Given): Transaction {
  return { ...next, version: next.version + 1, aheadUntil: runsAheadUntil(next, given) };
}

/** Records, too, must come back from their stored form as they were decided. */
function withStoredRecords(given: Given, { records }: Decided): Given {
  const after = withRecords(given, records);
  const stored = after.registered.map((branch, index) => encodeRecord({ kind: 'branch', index, branch }));
  const answers = [...after.answers].map(([branchId, content]) => encodeRecord({ kind: 'answer', branchId, content }));
  const result = after.result === null ? [] : [encodeRecord({ kind: 'result', content: after.result })];
  const notBefore = after.notBefore === null ? [] : [encodeRecord({ kind: 'not-before', at: after.notBefore })];
  expect(readGiven(after.spec, [...stored, ...answers, ...result, ...notBefore])).toEqual(after);
  return after;
}

/** What is stored and read back must be what was decided. */
function throughTheStore(tx: Transaction): Transaction {
  const back = fromRow(toRow(tx, { dueAt: null, waitsFor: '', errorPrint: '' }));
  expect(back).toEqual(tx);
  return back;
}

function parseSpec(line: string): Spec {
  const [head = '', steps = ''] = line.split(/ : ?/);
  const [mode, face, ...options] = head.trim().split(' ');
  const option = Object.fromEntries(options.map((text) => text.split('=') as [string, string]));
  const words = steps
    .trim()
    .split(/ +/)
    .filter((word) => word !== '');
  return specOf(mode as Mode, words, { option, face: face === 'dtm' ? 'dtm' : 'native' });
}

function specOf(mode: Mode, words: readonly string[], given: { option: Record<string, string>; face: Spec['face'] }): Spec {
  const { option, face } = given;
  const alarmAfterMs = option['alarm'] === undefined ? null : Number(option['alarm']);
  const ahead = option['ahead'] === 'yes' ? {} : ({ runAhead: false } as const);
  const any = {
    face,
    headers: {},
    presentation: {},
    alarmAfterMs,
    trace: null,
    payloads: words.map(() => new Uint8Array()),
    ...ahead,
  };
  const second = { callTimeoutMs: Number(option['call'] ?? 3000), retry: parsePolicy(option['retry']) };
  switch (mode) {
    case 'saga':
      return { ...sagaOf(words, option), ...any };
    case 'msg': {
      const list = words.flatMap((word, index) => {
        const names = word.split(',');
        const step = branchIdOfStep(index);
        return names.map((name, at) => ({
          branchId: names.length === 1 ? step : branchIdOfSubscriber(step, at),
          action: name === '-' ? '' : `http://x/${name}`,
        }));
      });
      const payloads = list.map(() => new Uint8Array());
      const times = { askAfterMs: Number(option['ask'] ?? 35_000), delayMs: Number(option['delay'] ?? 0), notBefore: null };
      const query = option['query'] === 'none' ? '' : 'http://x/query';
      return { ...any, ...second, ...times, mode, steps: list, payloads, query, concurrent: option['concurrent'] === 'yes' };
    }
    case 'tcc':
    case 'xa':
      return {
        ...any,
        ...second,
        mode,
        timeoutMs: Number(option['timeout'] ?? 35_000),
        timeoutReason: 'Timeout after 35 seconds',
      };
    case 'workflow':
      return { ...any, ...second, mode, name: 'book', resume: 'http://x/resume', payloads: [new Uint8Array([1])] };
  }
}

function sagaOf(
  words: readonly string[],
  option: Record<string, string>,
): Omit<SagaSpec, 'payloads' | 'headers' | 'presentation' | 'face' | 'alarmAfterMs' | 'trace'> {
  const names = words.map((word) => word.split('<')[0]!.replace(/[!+-]$/, ''));
  return {
    mode: 'saga',
    steps: words.map((word, index) => parseStep(word, index, { names, option })),
    timeoutMs: option['timeout'] === undefined ? null : Number(option['timeout']),
    timeoutReason: 'Timeout after 9 seconds',
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

/** `NAME keeps`, `NAME payload JSON`, `NAME compensatePayload JSON`. */
function withRemark(spec: SagaSpec, remark: string): SagaSpec {
  const [name = '', verb, ...rest] = remark.split(' ');
  const action = name === '-' ? '' : `http://x/${name}`;
  const index = spec.steps.findIndex((step) => step.action === action);
  const step = { ...spec.steps[index]!, ...(name === '-' ? {} : { name }) };
  if (verb === 'keeps') return { ...spec, steps: spec.steps.with(index, { ...step, keepAnswer: true }) };
  const at = verb === 'payload' ? index : spec.payloads.length;
  const templates = [...(spec.templates ?? spec.payloads.map(() => null))];
  templates[at] = payloadTemplate(JSON.parse(rest.join(' ')), (complaint) => {
    throw new Error(complaint);
  });
  const payloads = [...spec.payloads];
  payloads[at] = new Uint8Array();
  const own = verb === 'payload' ? {} : { compensatePayload: at };
  return { ...spec, payloads, templates, steps: spec.steps.with(index, { ...step, ...own }) };
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

/**
 * `@MS prepare | submit [@MS, not before] | abort WHY | register ID [DATA] | record ID OP succeed|failed [DATA]
 * | conclude succeed|failed [DATA] | place ID OP | wake | recover | retry BY [vN] | terminate BY [vN]
 * | ID OP CLASS [#ATTEMPT] [EXCHANGE] [kept=ANSWER] [j=JITTER]`
 */
function parseEvent(text: string, before: { given: Given; tx: Transaction | null }): TransactionEvent {
  const [moment = '', verb = '', ...rest] = text.split(/ +/);
  const jitter = Number(rest.find((word) => word.startsWith('j='))?.slice(2) ?? 0);
  const when = { at: epochMs(start + Number(moment.slice(1))), jitter };
  const beginning = { gid: 'g' as Gid, owner: nodeId('n') };
  switch (verb) {
    case 'prepare':
      return { ...when, ...beginning, type: 'prepared' };
    case 'submit':
      return {
        ...when,
        ...beginning,
        type: 'submitted',
        ...(rest[0] === undefined ? {} : { notBefore: epochMs(start + Number(rest[0].slice(1))) }),
      };
    case 'abort':
      return { ...when, type: 'aborted', reason: rest.join(' ') };
    case 'register':
    case 'record':
      return { ...when, type: 'registered', branch: parseBranch(verb, rest) };
    case 'conclude': {
      const status = rest[0] as 'succeed' | 'failed';
      const reason = status === 'failed' ? 'no room' : '';
      return { ...when, type: 'concluded', status, reason, result: bytesOf(rest[1] ?? '') };
    }
    case 'place':
      return { ...when, type: 'placed', ...opNamed(rest, before) };
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
    default:
      return { ...when, ...parseAnswer(verb, rest, before) };
  }
}

function parseBranch(verb: string, [id = '', ...rest]: readonly string[]): RegisteredBranch {
  const branchId = id as BranchId;
  if (verb === 'record')
    return { kind: 'progress', branchId, op: rest[0]!, status: rest[1] as 'succeed' | 'failed', payload: bytesOf(rest[2] ?? '') };
  const [content = ''] = rest;
  const silent = content === '-';
  return {
    kind: 'participant',
    branchId,
    forward: silent ? '' : `http://x/${id}/do`,
    backward: silent ? '' : `http://x/${id}/undo`,
    payload: bytesOf(content),
  };
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

const backwardOps = ['compensate', 'cancel', 'rollback'];

function parseAnswer(id: string, rest: readonly string[], { given, tx }: { given: Given; tx: Transaction | null }) {
  const { branch, way } = opNamed([id, ...rest], { given, tx });
  const running = tx!.branches[branch]?.[way];
  const numbered = rest.find((word) => word.startsWith('#'));
  const attempt = numbered ? Number(numbered.slice(1)) : running && 'attempts' in running ? running.attempts : 1;
  return { type: 'answered', branch, way, attempt, outcome: parseOutcome(rest) } as const;
}

function opNamed([id, op]: readonly string[], { given, tx }: { given: Given; tx: Transaction | null }) {
  const way: Way = backwardOps.includes(op!) ? 'backward' : 'forward';
  const branch = tx!.branches.findIndex((_, index) => callName(given, { branch: index, way }).branchId === id);
  return { branch, way };
}

function parseOutcome(words: readonly string[]): Outcome {
  const verdict = words[1] as OutcomeClass;
  const exchange = (words.find((word) => /^(unsent|forbidden|refused|answered|broken)$/.test(word)) ?? 'answered') as Exchange;
  const detail = verdict === 'failure' ? 'no money' : '';
  const kept = words.find((word) => word.startsWith('kept='));
  const answer = words.includes('stuck') ? participantStuck : `http_${verdict}`;
  const code = exchange === 'answered' ? answer : exchange;
  return { class: verdict, code, detail, exchange, durationMs: 7, ...(kept ? { kept: Buffer.from(kept.slice(5)) } : {}) };
}

function describe(decided: Decided, given: Given): string[] {
  const { next } = decided;
  const oneWay = next.mode === 'msg' || next.mode === 'workflow';
  const state = next.branches.map((branch, index) => {
    const { branchId } = callName(given, { branch: index, way: 'forward' });
    return `${branchId} ${opText(branch.forward)}${oneWay ? '' : ` ⟲ ${opText(branch.backward)}`}`;
  });
  const callText = (effect: Decided['effects'][number]) => {
    const { branchId, op } = callName(given, effect);
    const payload = next.mode === 'saga' ? Buffer.from(callPlan(given, effect).payload).toString() : '';
    return `  call ${branchId} ${op} #${effect.attempt} ${payload}`.trimEnd();
  };
  const decision =
    next.decision === null ? '' : ` decided ${next.decision.direction} by ${next.decision.actor} at row ${next.decision.seq}`;
  const held =
    next.hold === null ? '' : ` HOLD ${'op' in next.hold ? `${next.hold.branchId} ${next.hold.op} ` : ''}${next.hold.code}`;
  const overdue = next.overdueSince === null ? '' : ` OVERDUE since ${relative(next.overdueSince)}`;
  const ahead = next.aheadUntil === null ? '' : ` ahead until ${relative(next.aheadUntil)}`;
  const later = decided.mustCommit || decided.history.length === 0 ? '' : ' (written later)';
  const wake = decided.wakeAt === null ? (isFinished(next) ? '' : ' no wake') : ` wake ${relative(decided.wakeAt)}`;
  return [
    ...decided.verdicts.filter((verdict) => verdict !== 'taken').map((verdict) => `  verdict ${verdict}`),
    `  ${next.status} v${next.version}${decision}${held}${overdue}${ahead}${wake}${next.reason === '' ? '' : ` "${next.reason}"`}${later}`,
    ...(state.length === 0 ? [] : [`  ${state.join(' | ')}`]),
    ...decided.history.map((entry) => `  row ${rowText(entry)}`),
    ...decided.effects.map(callText),
    ...decided.ready.map((call) => `  ready ${callName(given, call).branchId} ${callName(given, call).op}`),
  ];
}

function opText(op: OpState): string {
  switch (op.at) {
    case 'idle':
      return '·';
    case 'running':
      return `running#${op.attempts} since ${relative(op.startedAt)}${settledText(op.settledAt)}`;
    case 'waiting':
      return `waiting#${op.attempts} due ${relative(op.dueAt)}${unknownsText(op.unknowns)}${settledText(op.settledAt)}`;
    case 'given-up':
      return `given-up#${op.attempts}${unknownsText(op.unknowns)}${settledText(op.settledAt)}`;
    default:
      return `${op.at}#${op.attempts}${settledText(op.settledAt)}`;
  }
}

function unknownsText(unknowns: number): string {
  return unknowns > 0 ? ` unknown×${unknowns}` : '';
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
