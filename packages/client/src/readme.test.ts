/** The snippets of the README, run as they stand. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from '@amends/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listen } from '../tests/listen.ts';
import { startNativeServer } from '../tests/native-server.ts';

const root = join(import.meta.dirname, '..');
const snippets = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);
const [application, participant, everythingElse] = snippets;

let server: Server;
let bank: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startNativeServer();
  const free = await listen(() => {});
  await free.close();
  bank = free.url;
});
afterAll(async () => {
  for (const child of children) child.kill();
  await server.stop();
});

/** Runs a snippet with the addresses of this test. */
function start(snippet: string): ChildProcess {
  const code = snippet
    .replace('http://127.0.0.1:36789', server.url)
    .replace('http://127.0.0.1:4001', bank)
    .replace('4001', new URL(bank).port)
    .replace('bank.db', ':memory:');
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], { cwd: root, stdio: 'pipe' });
  children.push(child);
  return child;
}

async function said(child: ChildProcess): Promise<string> {
  const text = Buffer.concat(await child.stdout!.toArray()).toString();
  const errors = Buffer.concat(await child.stderr!.toArray()).toString();
  return text + errors;
}

it('transfers money', async () => {
  start(participant!);
  await expect
    .poll(
      () =>
        fetch(bank).then(
          () => 'up',
          () => 'down',
        ),
      { timeout: 20_000 },
    )
    .toBe('up');
  expect(await said(start(application!))).toMatch(/^\w{22}: done\n$/);
});

it('looks at the server', async () => {
  expect(await said(start(everythingElse!))).toMatch(/^not_found 404 .*\nrunning 1000\n$/s);
});
