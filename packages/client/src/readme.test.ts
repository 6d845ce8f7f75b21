/** The snippets of the README, run as they stand in a folder that its commands have set up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from '@amends/server';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type FreshFolder, makeFreshFolder, readSamples } from '../../../tests/start/fresh-folder.ts';
import { describeWith } from '../../../tools/services/service.ts';
import { openPostgresAccount } from '../tests/databases.ts';
import { listen } from '../tests/listen.ts';
import { startNativeServer } from '../tests/native-server.ts';

const page = 'packages/client/README.md';
const snippets = readSamples(page).filter(({ language }) => language === 'ts');
const [application, participant, shop, tcc, message, xa, workflow, everythingElse] = snippets.map(({ code }) => code);
const setUps = readSamples(page).filter(({ language }) => language === 'sh');

let server: Server;
let bank: string;
let folder: FreshFolder;
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startNativeServer();
  const free = await listen(() => {});
  await free.close();
  bank = free.url;
  folder = makeFreshFolder();
  const setUp = await folder.shell(setUps.map(({ code }) => code).join(''));
  expect(setUp.code, setUp.stderr).toBe(0);
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || !child.kill()) continue;
    await once(child, 'exit');
  }
});
afterAll(async () => {
  await folder.remove();
  await server.stop();
});

/** Runs a snippet from a file, with the addresses of this test. */
function start(file: string, snippet: string): ChildProcess {
  const code = snippet
    .replace('http://127.0.0.1:36789', server.url)
    .replace('http://127.0.0.1:4001', bank)
    .replace('port: 4001', `port: ${new URL(bank).port}`);
  folder.write(file, code);
  const child = spawn(process.execPath, [file], { cwd: folder.path, stdio: 'pipe' });
  children.push(child);
  return child;
}

async function said(child: ChildProcess): Promise<string> {
  const text = Buffer.concat(await child.stdout!.toArray()).toString();
  const errors = Buffer.concat(await child.stderr!.toArray()).toString();
  return text + errors;
}

it('transfers money', async () => {
  start('bank.ts', participant!);
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
  expect(await said(start('transfer.ts', application!))).toMatch(/^\w{22}: done\n$/);
});

it('looks at the server', async () => {
  expect(await said(start('look.ts', everythingElse!))).toMatch(/^not_found 404 .*\nrunning 1000\n$/s);
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
    expect(await said(start('shop.ts', own))).toBe(
      `succeeded\na seat is sold\nsucceeded\nsucceeded\nann flies with lh1\nlh1 []\n[ { free: 5, held: 0 } ]\n`,
    );
  });
});
