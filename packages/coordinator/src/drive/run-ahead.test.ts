/** What a coordinator writes of transactions whose calls it makes ahead of its commits, and when. */
import {
  type BranchId,
  defaultRetry,
  fromRow,
  type Mode,
  type MsgSpec,
  nodeId,
  type Outcome,
  parseGid,
  type Spec,
  type TccSpec,
  type Transaction,
  type XaSpec,
} from '@amends/core';
import { decorated, openMemoryStore, type Store } from '@amends/store';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Coordinator } from '../coordinator.ts';
import { createCoordinator } from '../create-coordinator.ts';
import type { BranchCall } from '../ports/ports.ts';
import { bankSaga, serialSaga } from '../testing/bank-saga.ts';
import { type HandClock, handClock } from '../testing/hand-clock.ts';

const gid = parseGid('ahead');
/** On a busy machine this is later than at once. */
const soon = <T>(look: () => T | Promise<T>) => vi.waitFor(look, 5_000);

const done: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };
const refused: Outcome = { ...done, class: 'failure', code: 'http_409', detail: 'no money' };
const silent: Outcome = { ...done, class: 'unknown', code: 'http_500' };

/** A coordinator whose commits and calls are heard in their order, while time stands still. */
interface Stage {
  readonly amends: Coordinator;
  readonly time: HandClock;
  readonly store: Store;
  /** Calls by their paths, commits by the status that they bring. */
  readonly heard: string[];
  /** Ends a call that has no answer yet. */
  end(path: string, outcome?: Outcome): void;
  /** From now on nothing comes to it, from its store or from participants. */
  kill(): void;
}

interface StageOptions {
  /** What participants answer at once, by path; null: the call ends when the test says so. Others agree. */
  readonly answers?: Readonly<Record<string, Outcome | null>>;
  /** Who had the store before. */
  readonly after?: Stage;
  /** Whether its clock can be relied on. */
  readonly isSteady?: boolean;
}

async function stage({ answers = {}, after, isSteady = true }: StageOptions = {}): Promise<Stage> {
  const time = after?.time ?? handClock();
  const store = after?.store ?? openMemoryStore({ now: time.clock.now });
  const heard: string[] = [];
  const open = new Map<string, (outcome: Outcome) => void>();
  let isKilled = false;
  const unlessKilled = <T>(answer: () => Promise<T>) => (isKilled ? new Promise<T>(() => {}) : answer());
  const mine = decorated(store, {
    commit: (changes) => {
      heard.push(...changes.map(({ row }) => `commit ${row?.status}`));
      return unlessKilled(() => store.commit(changes));
    },
    heartbeat: (beat) => unlessKilled(() => store.heartbeat(beat)),
    claim: (request) => unlessKilled(() => store.claim(request)),
  });
  const call = ({ address }: BranchCall) => {
    const path = new URL(address.text).pathname.slice(1);
    heard.push(path);
    const answer = path in answers ? answers[path]! : done;
    return answer === null ? new Promise<Outcome>((end) => open.set(path, end)) : Promise.resolve(answer);
  };
  const node = nodeId(after === undefined ? 'first' : 'second');
  const transport = { call, close: async () => {} };
  const clock = { ...time.clock, isSteady: () => isSteady };
  const amends = createCoordinator({ node, store: mine, clock, timers: time.timers, transport });
  onTestFinished(() => {
    time.release();
    return amends.stop({ graceMs: 0 });
  });
  await amends.start();
  return { amends, time, store, heard, end: (path, outcome = done) => open.get(path)!(outcome), kill: () => (isKilled = true) };
}

async function isFinished({ store }: Stage): Promise<void> {
  await soon(async () => expect((await written(store)).finishedAt).not.toBeNull());
}

/** @returns what is heard until its end */
async function run(on: Stage, spec: Spec): Promise<readonly string[]> {
  await on.amends.submit({ gid, spec });
  await isFinished(on);
  return on.heard;
}

/** What is durable. */
async function written(store: Store): Promise<Transaction> {
  const [stored] = await store.load([gid]);
  return fromRow(stored!.row);
}

async function stepsWritten(store: Store): Promise<readonly string[]> {
  return (await written(store)).branches.map(({ forward }) => forward.at);
}

describe('a serial saga that ends quickly', () => {
  test('is committed twice however long it is: before its first call and before its answer (AHEAD-1)', async () => {
    const heard = await run(await stage(), serialSaga([...'abcdefghij']));
    expect(heard).toEqual(['commit submitted', ...'abcdefghij', 'commit succeed']);
  });

  test('is committed before each call and before its answer where that is asked for (AHEAD-1)', async () => {
    const heard = await run(await stage(), serialSaga([...'abcdefghij'], { runAhead: false }));
    expect(heard).toEqual([...[...'abcdefghij'].flatMap((step) => ['commit submitted', step]), 'commit succeed']);
  });
});

test('what was done ahead is written after 50 ms, however long the next call takes (AHEAD-5)', async () => {
  const on = await stage({ answers: { b: null, c: null } });
  await on.amends.submit({ gid, spec: serialSaga(['a', 'b', 'c']) });
  await soon(() => expect(on.heard).toContain('b'));
  on.time.pass(49);
  expect(await stepsWritten(on.store)).toEqual(['running', 'idle', 'idle']);
  on.time.pass(1);
  await soon(async () => expect(await stepsWritten(on.store)).toEqual(['succeed', 'running', 'idle']));
  expect(on.heard).toEqual(['commit submitted', 'a', 'b', 'commit submitted']);
  const { transaction } = (await on.amends.get(gid))!;
  expect(transaction.branches.map(({ forward }) => forward.at)).toEqual(['succeed', 'running', 'idle']);
  expect(await on.amends.history(gid, { afterSeq: 0, limit: 10 })).toMatchObject([{ kind: 'submitted' }, { kind: 'answered' }]);
});

test('nothing is called ahead while the clock may be far behind, as after the machine was suspended (AHEAD-1)', async () => {
  const heard = await run(await stage({ isSteady: false }), serialSaga(['a', 'b', 'c']));
  expect(heard).toEqual(['commit submitted', 'a', 'commit submitted', 'b', 'commit submitted', 'c', 'commit succeed']);
});

test('who acts on the version before what was done ahead is told that the transaction has moved on (AHEAD-2)', async () => {
  const on = await stage({ answers: { b: null } });
  await on.amends.submit({ gid, spec: serialSaga(['a', 'b']) });
  await soon(() => expect(on.heard).toContain('b'));
  const seen = (await on.amends.get(gid))!.transaction.version;
  const act = on.amends.intervene({ gid, verb: 'terminate', actor: 'ann', reason: 'enough', expectedVersion: seen });
  const refusal = expect(act).rejects.toMatchObject({ code: 'version_conflict' });
  await soon(async () => {
    on.time.pass(50);
    expect(await stepsWritten(on.store)).toEqual(['succeed', 'running']);
  });
  on.time.pass(1_000);
  await refusal;
});

describe('before anything follows from it, there is a commit of', () => {
  test('a refusal: with it all successes before it are written (AHEAD-2)', async () => {
    const heard = await run(await stage({ answers: { c: refused } }), serialSaga(['a', 'b', 'c']));
    const undone = ['unc', 'unb', 'una'].flatMap((path) => ['commit aborting', path]);
    expect(heard).toEqual(['commit submitted', 'a', 'b', 'c', ...undone, 'commit failed']);
  });

  test('an attempt without a verdict: the next one is counted (AHEAD-2)', async () => {
    const on = await stage({ answers: { b: null } });
    await on.amends.submit({ gid, spec: serialSaga(['a', 'b']) });
    await soon(() => expect(on.heard).toContain('b'));
    on.end('b', silent);
    await soon(async () => expect((await written(on.store)).branches[1]!.forward).toMatchObject({ attempts: 1, unknowns: 1 }));
    await soon(() => {
      on.time.pass(1_000);
      expect(on.heard.filter((each) => each === 'b')).toHaveLength(2);
    });
    expect(on.heard).toEqual(['commit submitted', 'a', 'b', 'commit submitted', 'commit submitted', 'b']);
  });

  test('an answer that a step keeps (AHEAD-2)', async () => {
    const [a, ...others] = serialSaga(['a', 'b', 'c']).steps;
    const on = await stage({ answers: { a: { ...done, kept: new TextEncoder().encode('{"seat":"12A"}') } } });
    const heard = await run(on, serialSaga(['a', 'b', 'c'], { steps: [{ ...a!, name: 'seat', keepAnswer: true }, ...others] }));
    expect(heard).toEqual(['commit submitted', 'a', 'commit submitted', 'b', 'c', 'commit succeed']);
  });

  test('what leads to a pivot, and what the pivot leads to (AHEAD-2)', async () => {
    const [a, b, ...others] = serialSaga([...'abcd']).steps;
    const retriable = others.map((step) => ({ ...step, kind: 'retriable' as const, compensate: '' }));
    const steps = [a!, { ...b!, kind: 'pivot' as const, compensate: '' }, ...retriable];
    const heard = await run(await stage(), serialSaga([...'abcd'], { steps }));
    expect(heard).toEqual(['commit submitted', 'a', 'commit submitted', 'b', 'commit submitted', 'c', 'd', 'commit succeed']);
  });
});

describe('second phases and deliveries', () => {
  const shared = {
    payloads: [],
    callTimeoutMs: 1_000,
    retry: defaultRetry,
    alarmAfterMs: null,
    headers: {},
    face: 'native',
  } as const;
  const phased = { ...shared, timeoutMs: 3_600_000, timeoutReason: '', trace: null, presentation: {} } as const;

  async function prepared(mode: 'tcc' | 'xa'): Promise<Stage> {
    const on = await stage();
    await on.amends.prepare({ gid, spec: { ...phased, mode } satisfies TccSpec | XaSpec });
    for (const name of ['a', 'b', 'c']) {
      const urls = { forward: `http://bank/${name}`, backward: `http://bank/un${name}` };
      const branch = { kind: 'participant', branchId: name as BranchId, payload: new Uint8Array(), ...urls } as const;
      await on.amends.request(gid, { type: 'registered', branch });
    }
    on.heard.length = 0;
    return on;
  }

  const orders: readonly [Extract<Mode, 'tcc' | 'xa'>, readonly string[], readonly string[]][] = [
    ['tcc', ['c', 'b', 'a'], ['unc', 'unb', 'una']],
    ['xa', ['a', 'b', 'c'], ['una', 'unb', 'unc']],
  ];

  test.each(orders)('of %s are written once, with their end (AHEAD-1)', async (mode, forward, backward) => {
    const on = await prepared(mode);
    await on.amends.request(gid, { type: 'submitted' });
    await isFinished(on);
    expect(on.heard).toEqual(['commit submitted', ...forward, 'commit succeed']);
    const off = await prepared(mode);
    await off.amends.request(gid, { type: 'aborted', reason: 'sold out' });
    await isFinished(off);
    expect(off.heard).toEqual(['commit aborting', ...backward, 'commit failed']);
  });

  test.each([false, true])('of a message are written once, with their end; at once: %s (AHEAD-1)', async (concurrent) => {
    const steps = ['a', 'b', 'c'].map((name) => ({ branchId: name as BranchId, action: `http://bank/${name}` }));
    const when = { query: '', askAfterMs: 10_000, delayMs: 0, notBefore: null, concurrent };
    const payloads = steps.map(() => new Uint8Array());
    const msg: MsgSpec = { ...shared, ...when, mode: 'msg', steps, payloads, trace: null, presentation: {} };
    expect(await run(await stage(), msg)).toEqual(['commit submitted', 'a', 'b', 'c', 'commit succeed']);
  });
});

test('a coordinator that stops writes what it did, and that it starts nothing more: the next one has no doubts (AHEAD-3, AHEAD-5)', async () => {
  const on = await stage({ answers: { b: null } });
  await on.amends.submit({ gid, spec: serialSaga(['a', 'b', 'c']) });
  await soon(() => expect(on.heard).toContain('b'));
  const stopped = on.amends.stop();
  await soon(async () => expect(await stepsWritten(on.store)).toEqual(['succeed', 'running', 'idle']));
  on.end('b');
  await stopped;
  expect(await stepsWritten(on.store)).toEqual(['succeed', 'succeed', 'idle']);
  const next = await stage({ after: on });
  await isFinished(next);
  expect(next.heard.filter((each) => !each.startsWith('commit'))).toEqual(['c']);
  const history = await next.amends.history(gid, { afterSeq: 0, limit: 20 });
  expect(history.map(({ kind }) => kind)).toEqual(['submitted', 'answered', 'answered', 'answered']);
});

test('a coordinator that stops writes each answer at once, though another call hangs until the end (AHEAD-5)', async () => {
  const on = await stage({ answers: { a: null, hangs: null } });
  await on.amends.submit({ gid, spec: bankSaga(['a', 'hangs']) });
  await soon(() => expect(on.heard).toContain('hangs'));
  void on.amends.stop();
  await new Promise(setImmediate);
  on.end('a');
  await soon(async () => expect(await stepsWritten(on.store)).toEqual(['succeed', 'running']));
});

describe('a coordinator that is killed ahead of its commits', () => {
  /** Step a has succeeded and b is called, of which the store knows nothing; c is not called. */
  async function killed(): Promise<Stage> {
    const on = await stage({ answers: { b: null } });
    await on.amends.submit({ gid, spec: serialSaga(['a', 'b', 'c']) });
    await soon(() => expect(on.heard).toContain('b'));
    on.kill();
    on.time.pass(5_000);
    return on;
  }

  /** Another one takes over and comes to the end. */
  async function takeOver(after: Stage, answers: StageOptions['answers'] = {}): Promise<Stage> {
    const next = await stage({ after, answers });
    await soon(async () => {
      next.time.pass(100);
      expect((await written(next.store)).finishedAt).not.toBeNull();
    });
    return next;
  }

  test('leaves its steps in doubt: they are called again, each after a commit (AHEAD-3, AHEAD-4)', async () => {
    const next = await takeOver(await killed());
    expect(next.heard).toEqual([...['a', 'b', 'c'].flatMap((path) => ['commit submitted', path]), 'commit succeed']);
    const history = await next.amends.history(gid, { afterSeq: 0, limit: 20 });
    expect(history.map(({ kind, attempt }) => [kind, attempt])).toEqual([
      ['submitted', null],
      ['uncertain', null],
      ['interrupted', 1],
      ['answered', 2],
      ['answered', 2],
      ['answered', 2],
    ]);
    expect(history[1]!.detail).toBe('may have been called: 02 action, 03 action');
  });

  test('leaves its steps in doubt: on the way back they are undone, too (AHEAD-3)', async () => {
    const next = await takeOver(await killed(), { a: refused });
    expect(next.heard.filter((each) => !each.startsWith('commit'))).toEqual(['a', 'unc', 'unb', 'una']);
    expect((await written(next.store)).status).toBe('failed');
  });
});
