import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Log } from '@amends/coordinator';
import { decide, defaultRetry, epochMs, type Gid, givenAtFirst, nodeId, type SagaSpec, type Transaction } from '@amends/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logChanges } from './log.ts';

const spec: SagaSpec = {
  mode: 'saga',
  steps: [
    {
      kind: 'compensatable',
      action: 'http://a/',
      compensate: '',
      timeoutMs: 1,
      actionRetry: defaultRetry,
      compensateRetry: defaultRetry,
      after: [],
    },
  ],
  payloads: [new Uint8Array(0)],
  timeoutMs: null,
  timeoutReason: '',
  alarmAfterMs: null,
  headers: {},
  face: 'native',
  trace: null,
  presentation: {},
};

function submitted(): Transaction {
  const event = {
    type: 'submitted',
    gid: 'g1' as Gid,
    owner: nodeId('n'),
    at: epochMs(1_000),
    jitter: 0,
  } as const;
  return decide(null, givenAtFirst(spec), [event]).next;
}

/** What is logged of one change, as `level message`. */
function logged(previous: Transaction | null, next: Transaction, everyStatus = false): string[] {
  const lines: string[] = [];
  const say = (level: string) => (_fields: unknown, message: string) => void lines.push(`${level} ${message}`);
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  logChanges(log, everyStatus)({ previous, next, given: null, history: [] });
  return lines;
}

describe('the log of a process', () => {
  it('has written an error and all before it although the process gets no further', async () => {
    const program = `
      import { openLog } from '${new URL('../../dist/telemetry/log.js', import.meta.url)}';
      const log = openLog({ logLevel: 'info', logFormat: 'json' });
      log.info({}, 'first');
      log.error({}, 'second');
      log.info({}, 'third');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(JSON.parse(line).msg);
      if (said.length === 2) child.kill('SIGKILL');
    }
    expect(said).toEqual(['first', 'second']);
  });
});

it.each([
  ['an error that nobody catches', "throw new Error('lost')"],
  ['a rejection that nobody handles', "Promise.reject(new Error('lost'))"],
])('the last lines before %s are written', async (_name, end) => {
  const program = `
    import { openLog } from '${new URL('../../dist/telemetry/log.js', import.meta.url)}';
    const log = openLog({ logLevel: 'info', logFormat: 'json' });
    for (let n = 0; n < 250; n++) log.info({ n }, 'line');
    ${end};`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const numbers = said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).n as number);
  // A portion that was under way when the error came may arrive after the last one.
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 250 }, (_, n) => n));
  expect(stderr).toContain('Error: lost');
});

describe('the log of transactions', () => {
  const tx = submitted();

  const ended: Transaction = { ...tx, status: 'succeed', finishedAt: epochMs(2_000) };

  it('tells each once, at its end', () => {
    expect(logged(null, tx)).toEqual([]);
    expect(logged(tx, { ...tx, status: 'aborting' })).toEqual([]);
    expect(logged(tx, ended)).toEqual(['info transaction succeed']);
    expect(logged(null, ended)).toEqual(['info transaction succeed']);
    expect(logged(ended, { ...ended, version: 9 })).toEqual([]);
  });

  it('tells each change of status at level debug, where that is wanted', () => {
    expect(logged(null, tx, true)).toEqual(['debug transaction submitted']);
    expect(logged(tx, { ...tx, version: 2 }, true)).toEqual([]);
    expect(logged(tx, { ...tx, status: 'aborting' }, true)).toEqual(['debug transaction aborting']);
    expect(logged(tx, ended, true)).toEqual(['info transaction succeed']);
  });

  it('warns of each hold once', () => {
    const held = { ...tx, hold: { code: 'retries_used_up', branchId: '01', op: 'action' } } as unknown as Transaction;
    expect(logged(tx, held)).toEqual(['warn transaction on hold: needs attention']);
    expect(logged(held, { ...held, version: 3 })).toEqual([]);
  });

  it('warns of each alarm once, also when it is raised with the first commit', () => {
    const overdue: Transaction = { ...tx, overdueSince: epochMs(2_000) };
    expect(logged(tx, overdue)).toEqual(['warn transaction overdue: not finished']);
    expect(logged(overdue, { ...overdue, version: 3 })).toEqual([]);
    expect(logged(null, overdue)).toEqual(['warn transaction overdue: not finished']);
  });
});
