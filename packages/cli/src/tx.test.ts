import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { amends, serving } from './testing/amends-command.ts';

const nothingToCall = { action: '' };
const nobodyThere = { action: 'http://127.0.0.1:1/', retry: { attemptsMax: 1, atEnd: 'hold' } };
const givesUp = { action: 'http://127.0.0.1:1/', retry: { attemptsMax: 1, atEnd: 'roll-back' } };

/** A coordinator with these transactions at rest, and the command that asks it. */
async function coordinatorWith(transactions: Readonly<Record<string, object>>) {
  const { url } = await serving('--store', 'memory:');
  for (const [gid, step] of Object.entries(transactions)) {
    const body = JSON.stringify({ gid, mode: 'saga', steps: [step] });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${url}/api/v1/transactions?waitMs=60000`, { method: 'POST', body, headers });
  }
  return (...args: readonly string[]) => amends('tx', ...args, '--server', url);
}

test('list shows a table, or says that there is nothing', async () => {
  const nothing = await coordinatorWith({});
  expect(await nothing('list')).toEqual({ code: 0, stdout: 'no transactions\n', stderr: '' });
  const tx = await coordinatorWith({ done: nothingToCall, stuck: nobodyThere });
  const { code, stdout } = await tx('list');
  expect(code).toBe(0);
  const rows = stdout.trimEnd().split('\n');
  expect(rows[0]).toMatch(/^gid +status +created \(UTC\) +last error or reason$/);
  expect(rows.find((row) => row.startsWith('stuck'))).toMatch(/^stuck +submitted, held +\d{4}-\d\d-\d\d /);
  expect(rows.find((row) => row.startsWith('done'))).toMatch(/^done +succeed +\d{4}-/);
});

test('list filters, and gives JSON to programs', async () => {
  const tx = await coordinatorWith({ done: nothingToCall, stuck: nobodyThere });
  const gids = async (...args: string[]) =>
    JSON.parse((await tx('list', '--json', ...args)).stdout).map(({ gid }: { gid: string }) => gid);
  expect((await gids()).sort()).toEqual(['done', 'stuck']);
  expect(await gids('--held')).toEqual(['stuck']);
  expect(await gids('--status', 'succeed')).toEqual(['done']);
  expect(await gids('--limit', '1')).toHaveLength(1);
});

test('show draws what happened, or tells it as JSON', async () => {
  const tx = await coordinatorWith({ stuck: nobodyThere });
  const drawn = await tx('show', 'stuck');
  expect(drawn.code).toBe(0);
  expect(drawn.stdout).toMatch(/^stuck {2}saga, needs attention: attempts-exhausted at action of branch 01\n/);
  expect(drawn.stdout).toMatch(/01 action +unknown .*connect_refused/);
  const told = JSON.parse((await tx('show', 'stuck', '--json')).stdout);
  expect(told).toMatchObject({
    transaction: { gid: 'stuck', outcome: 'running' },
    history: [{ kind: 'submitted' }, { kind: 'answered' }, { kind: 'held' }],
  });
});

test('show and list tell what is overdue, and show the trace', async () => {
  const { url } = await serving('--store', 'memory:');
  const body = JSON.stringify({ gid: 'late', mode: 'saga', steps: [nobodyThere], alarmAfterMs: 1 });
  const traceparent = `00-${'a'.repeat(32)}-00f067aa0ba902b7-01`;
  await fetch(`${url}/api/v1/transactions`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', traceparent },
  });
  const tx = (...args: readonly string[]) => amends('tx', ...args, '--server', url);
  let drawn = '';
  while (!drawn.includes('overdue')) drawn = (await tx('show', 'late')).stdout;
  expect(drawn).toMatch(/\noverdue since \d{4}-\d\d-\d\dT/);
  expect(drawn).toMatch(/ overdue .*not finished within 1 ms/);
  expect(drawn).toMatch(/ submitted .*trace a{32}\n/);
  expect((await tx('list')).stdout).toMatch(/\nlate +submitted, held, overdue +/);
});

test('show draws every mode: what is registered, recorded, answered and returned', async () => {
  const { url } = await serving('--store', 'memory:');
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${url}/api/v1/transactions${path}`, { method: 'POST', body: JSON.stringify(body), headers });
    expect(status).toBeLessThan(300);
  };
  const drawn = async (gid: string) => (await amends('tx', 'show', gid, '--server', url)).stdout;
  await post('', { gid: 'tcc', mode: 'tcc' });
  await post('/tcc/branches', { mode: 'tcc', branchId: '01', confirm: 'http://127.0.0.1:1/confirm', cancel: '' });
  expect(await drawn('tcc')).toMatch(
    /^tcc {2}tcc, running \(prepared\)\n[\s\S]*\n {2}01 {2}confirm http:\/\/127\.0\.0\.1:1\/confirm {2}not begun\n/,
  );
  await post('', { gid: 'msg', mode: 'msg', delayMs: 60_000, steps: [{ action: 'http://127.0.0.1:1/a' }] });
  expect(await drawn('msg')).toMatch(
    /\n {2}00 {2}\(nobody to ask\) {2}not begun {2}asked whether [\s\S]*\n {2}01 {2}http:\/\/127\.0\.0\.1:1\/a {2}not begun\n/,
  );
  await post('', { gid: 'ended', mode: 'workflow', name: 'book', resumeUrl: 'http://127.0.0.1:1/resume' });
  await post('/ended/conclude', { status: 'succeed' });
  expect(await drawn('ended')).toMatch(/\n {2}00 {2}resume http:\S+ {2}no longer called {2}runs the function again\n/);
  await post('', { gid: 'flow', mode: 'workflow', name: 'book', resumeUrl: 'http://127.0.0.1:1/resume' });
  await post('/flow/branches', { mode: 'workflow', branchId: '01', status: 'succeed', result: { id: 'r1' } });
  await post('/flow/conclude', { status: 'succeed', result: [1, 2] });
  expect(await drawn('flow')).toMatch(
    /\n {2}00 {2}resume http:[\s\S]*runs the function again\n {2}01 {2}action {2}done {2}\{"id":"r1"\}\n {6}returned \[1,2\]\n/,
  );
  const health = { action: `${url}/healthz`, name: 'look', keepAnswer: true };
  await post('?waitMs=10000', { gid: 'saga', mode: 'saga', steps: [health] });
  expect(await drawn('saga')).toMatch(/\n {2}01 {2}look {2}http:[\s\S]*\n {6}answered \{"status":"live"\}\n/);
});

test('watch follows to the end and ends as the transaction did', async () => {
  const tx = await coordinatorWith({ done: nothingToCall, failed: givesUp });
  const done = await tx('watch', 'done');
  expect(done.code).toBe(0);
  expect(done.stdout).toMatch(/submitted[\s\S]*\nsucceeded after \d+ ms\n$/);
  const failed = await tx('watch', 'failed', '--json');
  expect(failed.code).toBe(1);
  const kinds = failed.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).kind);
  expect(kinds.slice(0, 2)).toEqual(['submitted', 'answered']);
});

const hostile = '\u001b[2J evil\r\nFAKE LINE\u202e';

test('what participants say is shown in one line that the terminal does not obey', async () => {
  const bank = createServer((_request, response) => response.writeHead(409).end(hostile));
  onTestFinished(() => void bank.close());
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve));
  const action = `http://127.0.0.1:${(bank.address() as AddressInfo).port}/debit`;
  const tx = await coordinatorWith({ refused: { action, compensate: '' } });
  for (const verb of [['list'], ['show', 'refused'], ['watch', 'refused']]) {
    const { stdout } = await tx(...verb);
    expect(stdout).toContain('\\u001b[2J evil');
    expect(stdout).not.toMatch(/[^\P{C}\n]/u);
    expect(stdout.split('\n').filter((line) => line.startsWith('FAKE'))).toEqual([]);
  }
  expect((await tx('list')).stdout.trimEnd().split('\n')).toHaveLength(2);
  expect(JSON.parse((await tx('list', '--json')).stdout)[0].reason).toContain('\u001b[2J');
});

test('show labels what undoes, and says that what was terminated was', async () => {
  const bank = createServer((request, response) => response.writeHead(request.url!.startsWith('/no') ? 409 : 500).end());
  onTestFinished(() => void bank.close());
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(bank.address() as AddressInfo).port}`;
  const tx = await coordinatorWith({ g1: { action: `${url}/no`, compensate: `${url}/undo` } });
  expect((await tx('show', 'g1')).stdout).toMatch(/\n {6}compensate {2}http:\S+\/undo {2}(waiting after \d attempts?|running)/);
  await tx('terminate', 'g1', '--reason', 'by hand');
  expect((await tx('show', 'g1')).stdout).toMatch(/^g1 {2}saga, terminated after \d+ ms, nothing undone: by tester: by hand\n/);
});

test('a very long gid is told whole to programs', async () => {
  const gid = 'g'.repeat(128);
  const tx = await coordinatorWith({ [gid]: nothingToCall });
  expect((await tx('list')).stdout).toContain(gid);
});

test('retry tries again at once, in the name of who asks', async () => {
  const tx = await coordinatorWith({ stuck: nobodyThere });
  expect(await tx('retry', 'stuck', '--reason', 'it is up')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^no longer on hold \(attempts-exhausted at action of branch 01\)\ncalled again: action of branch 01, attempt \d, http:\S+\nrunning/,
    ),
  });
  const { history } = JSON.parse((await tx('show', 'stuck', '--json')).stdout);
  expect(history).toContainEqual(expect.objectContaining({ actor: 'tester', detail: 'it is up' }));
  const told = await tx('retry', 'stuck', '--reason', 'again', '--json');
  expect(JSON.parse(told.stdout)).toMatchObject({ gid: 'stuck', outcome: 'running' });
});

test('terminate ends it as it stands, once, and only in the version that was meant', async () => {
  const tx = await coordinatorWith({ one: nobodyThere, two: nobodyThere });
  expect(await tx('terminate', 'one', '--reason', 'by hand', '--expected-version', '99')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^amends: .*version/),
  });
  expect(await tx('terminate', 'one', '--reason', 'by hand')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^no longer called: action of branch 01, without a verdict after 1 attempt\nterminated after \d+ ms, nothing undone: by tester: by hand\n$/,
    ),
  });
  expect(await tx('terminate', 'one', '--reason', 'by hand')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/finished/),
  });
  const told = await tx('terminate', 'two', '--reason', 'by hand', '--json');
  expect(JSON.parse(told.stdout)).toMatchObject({ gid: 'two', outcome: 'failed' });
});

test.each(['show', 'watch'])('%s of what does not exist says so', async (verb) => {
  const tx = await coordinatorWith({});
  expect(await tx(verb, 'nothing')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^amends: .*"nothing"\n$/),
  });
});

test('a coordinator that is not there is named', async () => {
  const run = await amends('tx', 'list', '--server', 'http://127.0.0.1:1');
  expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^amends: .*127\.0\.0\.1:1/) });
});

/** A bank that does everything, undoes nothing, and refuses `/no`. */
async function bankThatCannotUndo(): Promise<string> {
  const bank = createServer(({ url }, response) => response.writeHead(statusOf(url!)).end(`nothing at ${url!.split('?')[0]}`));
  onTestFinished(() => void bank.close());
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(bank.address() as AddressInfo).port}`;
}

function statusOf(path: string): number {
  if (path.startsWith('/undo')) return 404;
  return path.startsWith('/no') ? 409 : 200;
}

test('a compensation that answers 404 for ever is seen: at the top, in one line of history, and at the steps behind it', async () => {
  const bank = await bankThatCannotUndo();
  const { url } = await serving('--store', 'memory:');
  const tx = (...args: readonly string[]) => amends('tx', ...args, '--server', url);
  const often = { kind: 'fixed', delayMs: 5 };
  const steps = [
    { action: `${bank}/out`, compensate: `${bank}/back` },
    { action: `${bank}/no`, compensate: `${bank}/undo`, compensateRetry: often },
  ];
  const body = JSON.stringify({ gid: 'stuck', mode: 'saga', steps });
  await fetch(`${url}/api/v1/transactions`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  let drawn = '';
  while (!/unknown x [1-9]\d /.test(drawn)) drawn = (await tx('show', 'stuck')).stdout;
  expect(drawn).toMatch(
    /\nwaits: compensate of branch 02, http_404 after \d\d attempts, .*: nothing at \/undo\nnot undone before that: 01\n/,
  );
  expect(drawn).toMatch(/\n {2}01 {2}\S+\/out {2}done, to be undone\n {6}compensate {2}\S+\/back {2}waits for its turn\n/);
  expect(drawn.match(/02 compensate +unknown/g)).toHaveLength(1);
  expect(drawn).toMatch(/http_404, attempt \d\d until \+\d+ ms, http:\S+\/undo, nothing at/);
  expect((await tx('list')).stdout).toMatch(/\nstuck +aborting +.* 127\.0\.0\.1:\d+ compensate http_404\n/);
  const ended = (await tx('terminate', 'stuck', '--reason', 'by hand')).stdout;
  expect(ended).toMatch(
    /^stays done: 01\nno longer called: compensate of branch 02, without a verdict after \d+ attempts\nterminated/,
  );
  expect((await tx('show', 'stuck')).stdout).toMatch(/\n {6}compensate {2}\S+\/undo {2}no longer called\n/);
});
