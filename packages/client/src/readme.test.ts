/** The snippets of the README, run as they stand. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from '@amends/server';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../../tools/services/service.ts';
import { openPostgresAccount } from '../tests/databases.ts';
import { listen } from '../tests/listen.ts';
import { startNativeServer } from '../tests/native-server.ts';

const root = join(import.meta.dirname, '..');
const snippets = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);
const [application, participant, shop, tcc, message, xa, workflow, everythingElse] = snippets;

let server: Server;
let bank: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startNativeServer();
  const free = await listen(() => {});
  await free.close();
  bank = free.url;
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || !child.kill()) continue;
    await once(child, 'exit');
  }
});
afterAll(() => server.stop());

/** Runs a snippet with the addresses of this test. */
function start(snippet: string): ChildProcess {
  const code = snippet
    .replace('http://127.0.0.1:36789', server.url)
    .replace('http://127.0.0.1:4001', bank)
    .replace('port: 4001', `port: ${new URL(bank).port}`)
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

/** Runs what the snippets define. */
const runAll = `
  await app.listen({ host: '127.0.0.1', port: 4001 });
  for (const run of [book, sell, reserve]) console.log((await run()).outcome);
  console.log(await fly(), await forgotten());
  console.log((await pool.query('SELECT free, held FROM seat')).rows);
  await Promise.all([amends.close(), app.close(), pool.end()]);`;

await describeWith('postgres', 'with Postgres', (url) => {
  it('reserves, sends, prepares and flies', async () => {
    const account = await openPostgresAccount(url);
    const { rows } = await account.pool.query<{ name: string }>('SELECT current_database() AS name');
    await account.close();
    const code = [shop, tcc, message, xa, workflow, runAll].join('\n');
    const own = code.replace('postgres://127.0.0.1/shop', new URL(rows[0]!.name, url).href);
    expect(await said(start(own))).toBe(
      `succeeded\na seat is sold\nsucceeded\nsucceeded\nann flies with lh1\nlh1 []\n[ { free: 5, held: 0 } ]\n`,
    );
  });
});
