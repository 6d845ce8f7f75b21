import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { configOptions } from '@amends/server';
import { expect, onTestFinished, test } from 'vitest';
import { amends, scratchFolder, serving, servingBy } from './testing/amends-command.ts';

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends it with 0', async (signal) => {
  const coordinator = await serving('--store', 'memory:');
  expect(await coordinator.stop(signal)).toMatchObject({ code: 0, stdout: expect.stringContaining('"msg":"stopped"') });
});

test('while calls are in flight it says how many, how long it waits, and that a second Ctrl-C ends at once', async () => {
  const { promise: called, resolve: tellCalled } = Promise.withResolvers<void>();
  const slow = createServer(() => tellCalled());
  onTestFinished(() => slow.closeAllConnections());
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const action = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
  const coordinator = await serving('--store', 'memory:', '--stop-grace-ms', '60000');
  const body = JSON.stringify({ mode: 'saga', steps: [{ action }] });
  await fetch(`${coordinator.url}/api/v1/transactions`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  await called;
  const first = coordinator.stop('SIGINT');
  await coordinator.said(/Ctrl-C/);
  await coordinator.stop('SIGINT');
  slow.close();
  expect(await first).toMatchObject({
    code: 130,
    stderr:
      'amends: stopping; 1 call in flight may end within 60 s. A second Ctrl-C ends at once; what is stored goes on at the next start\n',
  });
});

test('the next one on the same file goes on with what is unfinished', async () => {
  const store = ['--store', `sqlite:${join(scratchFolder(), 'amends.db')}`];
  const first = await serving(...store);
  const waiting = { action: 'http://127.0.0.1:1/', retry: { kind: 'fixed', delayMs: 600_000, delayMsMax: 600_000 } };
  const body = JSON.stringify({ gid: 'g1', mode: 'saga', steps: [waiting] });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${first.url}/api/v1/transactions?waitMs=60000`, { method: 'POST', body, headers });
  expect(await first.stop()).toMatchObject({ code: 0 });
  const second = await serving(...store);
  const shown = await amends('tx', 'show', 'g1', '--server', second.url, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({
    transaction: { gid: 'g1', status: 'submitted', branches: [{ calls: [{ at: 'waiting', attempts: 1 }, {}] }] },
  });
  expect((await second.stop()).code).toBe(0);
});

/** A bank that keeps the first call waiting for ever, then refuses what `/a` is and takes back whatever it is told to. */
async function bankThatRefusesLate() {
  const calls: string[] = [];
  const { promise: called, resolve: tellCalled } = Promise.withResolvers<void>();
  const bank = createServer((request, response) => {
    const path = request.url!.split('?', 1)[0]!;
    if (calls.push(path) === 1) tellCalled();
    else response.writeHead(path === '/a' ? 409 : 200).end();
  });
  onTestFinished(() => {
    bank.close();
    bank.closeAllConnections();
  });
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(bank.address() as AddressInfo).port}`, calls, called };
}

/** How a saga of two steps ends whose coordinator is killed while the first is called. */
async function endAfterKill(options: object) {
  const bank = await bankThatRefusesLate();
  const store = ['--store', `sqlite:${join(scratchFolder(), 'amends.db')}`];
  const first = await serving(...store);
  const steps = ['a', 'b'].map((name) => ({
    action: `${bank.url}/${name}`,
    compensate: `${bank.url}/undo-${name}`,
    timeoutMs: 200,
    retry: { kind: 'fixed', delayMs: 60_000, delayMsMax: 60_000 },
  }));
  const body = JSON.stringify({ gid: 'g1', mode: 'saga', steps, ...options });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${first.url}/api/v1/transactions`, { method: 'POST', body, headers });
  await bank.called;
  await first.stop('SIGKILL');
  const second = await serving(...store);
  const outcome = async () =>
    ((await (await fetch(`${second.url}/api/v1/transactions/g1`)).json()) as { outcome: string }).outcome;
  await expect.poll(outcome, { timeout: 30_000 }).toBe('failed');
  const { stdout } = await amends('tx', 'show', 'g1', '--server', second.url);
  return { calls: bank.calls, shown: stdout };
}

test('after SIGKILL a step counts as called that may have been: it is undone too, and people are told (AHEAD-3)', async () => {
  const { calls, shown } = await endAfterKill({});
  expect(calls).toEqual(['/a', '/a', '/undo-b', '/undo-a']);
  expect(shown).toMatch(/ms +uncertain +may have been called: 02 action\n.* 01 action +interrupted/);
});

test('nothing is undone that was not called where nobody runs ahead', async () => {
  const { calls, shown } = await endAfterKill({ runAhead: false });
  expect(calls).toEqual(['/a', '/a', '/undo-a']);
  expect(shown).not.toContain('uncertain');
});

test('a store that was not there is named, with the folders that were made for it, so that a mistyped path is seen', async () => {
  const folder = scratchFolder();
  const store = join(folder, 'amnds', 'amends.db');
  const first = await (await serving('--store', `sqlite:${store}`)).stop();
  expect(first.stdout).toContain(`"created":${JSON.stringify([join(folder, 'amnds'), store])},"msg":"new store: there was none`);
  const second = await (await serving('--store', `sqlite:${store}`)).stop();
  expect(second.stdout).not.toContain('new store');
});

test('a store that has broken down for good ends it with 1', async () => {
  const breaker = "process.once('worker', (thread) => process.once('SIGUSR2', () => thread.terminate()))";
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(breaker)}`];
  const coordinator = await servingBy({ nodeArgs }, '--store', `sqlite:${join(scratchFolder(), 'amends.db')}`);
  const { code, stdout, stderr } = await coordinator.stop('SIGUSR2');
  expect(code).toBe(1);
  expect(stdout).toMatch(/"level":"error".*"msg":"broken down: restart the process"/);
  expect(stderr).toMatch(/^amends: the thread that had .* has ended unexpectedly; restart the process\n$/);
});

test('an address that others can reach must be meant', async () => {
  const refused = await amends('serve', '--host', '0.0.0.0', '--port', '0', '--store', 'memory:');
  expect(refused).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^amends: option host .*trust --insecure\n$/),
  });
  const meant = await serving('--host', '0.0.0.0', '--store', 'memory:', '--insecure');
  expect(await meant.stop()).toMatchObject({
    code: 0,
    stderr: 'amends: 0.0.0.0 without authentication: whoever reaches the port may do everything (--insecure)\n',
  });
});

test('a port in use is told with the remedy', async () => {
  const holder = createServer();
  onTestFinished(() => void holder.close());
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  const run = await amends('serve', '--port', `${port}`, '--grpc-port', '0', '--store', 'memory:');
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(new RegExp(`^amends: port ${port} on 127\\.0\\.0\\.1 is in use, .* choose another with --port\n$`));
});

test.each([
  [['--port', 'x'], 'amends: option port (from --port) is "x"; expected: a whole number\n'],
  [['--port', '70000'], 'amends: option port (from --port) is 70000; expected: at most 65535\n'],
  [['--log-level', 'loud'], 'amends: option logLevel (from --log-level) is "loud"; expected: debug, info, warn, error\n'],
  [
    ['--store', 'redis:x'],
    'amends: option store (from --store) is "redis:x"; expected: sqlite:PATH, or memory: which forgets everything at the end\n',
  ],
])('an option that cannot be is named: %j', async (args, stderr) => {
  expect(await amends('serve', ...args)).toEqual({ code: 1, stdout: '', stderr });
});

test('a file that is not there is named', async () => {
  const run = await amends('serve', '--config', 'none.yaml');
  expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/none\.yaml.* cannot be read: ENOENT/) });
});

test('its help tells every option, with its variable', async () => {
  const { stdout } = await amends('serve', '--help');
  for (const { flag, env } of configOptions) {
    expect(stdout).toContain(`--${flag}`);
    expect(stdout.replace(/\s+/g, ' ')).toContain(`, ${env})`);
  }
});
