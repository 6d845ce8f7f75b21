/** Care of a store by the command, with its server and without. */
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AmendsClient } from '@amends/client';
import { expect, it, onTestFinished } from 'vitest';
import { amends, type Serving, scratchFolder, serving } from './testing/amends-command.ts';

/** Begins a saga of one step and waits until it rests. */
async function saga({ url }: Serving, gid: string, step: object): Promise<void> {
  const body = JSON.stringify({ gid, mode: 'saga', steps: [step] });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${url}/api/v1/transactions?waitMs=60000`, { method: 'POST', body, headers });
}

/** Runs sagas that call nobody to their end. */
async function sagas(server: Serving, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await saga(server, `g${n}`, { action: '' });
}

async function stored(count: number) {
  const folder = scratchFolder();
  const path = join(folder, 'amends.db');
  const server = await serving('--store', `sqlite:${path}`);
  await sagas(server, count);
  return { folder, path, server };
}

it('backs up a store while its server goes on, and a server starts on the copy', async () => {
  const { folder, server } = await stored(3);
  const file = join(folder, 'backup.db');
  const { code, stdout, stderr } = await amends('store', 'backup', file, '--server', server.url);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toBe(`${file} holds 3 transactions\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await saga(server, 'later', { action: '' });
  const again = await serving('--store', `sqlite:${file}`);
  const { stdout: listed } = await amends('tx', 'list', '--server', again.url, '--json');
  expect(JSON.parse(listed)).toHaveLength(3);
});

it('backs up the file itself where no server runs, and never replaces a file', async () => {
  const { folder, path, server } = await stored(2);
  const inUse = await amends('store', 'backup', join(folder, 'one.db'), '--store', path);
  expect(inUse).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/amends\.db cannot be opened: it is in use by another process/),
  });
  await server.stop();
  const { code, stdout } = await amends('store', 'backup', join(folder, 'one.db'), '--store', `sqlite:${path}`, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ file: join(folder, 'one.db'), transactions: 2, troubles: [] });
  const again = await amends('store', 'backup', join(folder, 'one.db'), '--store', path);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/one\.db is there already; give another name/) });
  expect((await readdir(folder)).toSorted()).toEqual(['amends.db', 'one.db']);
});

it('says which server does not answer, and what helps', async () => {
  const { code, stderr } = await amends('store', 'backup', 'x.db', '--server', 'http://127.0.0.1:1');
  expect(code).toBe(1);
  expect(stderr).toBe('amends: no server answers at http://127.0.0.1:1; where none runs, name the file: --store PATH\n');
});

it('verifies the store of a running server, a backup, and finds what is wrong', async () => {
  const { folder, path, server } = await stored(2);
  expect(await amends('store', 'verify', '--server', server.url)).toMatchObject({
    code: 0,
    stdout: 'the store is sound: 2 transactions\n',
  });
  await server.stop();
  expect(await amends('store', 'verify', path)).toMatchObject({ code: 0, stdout: `${path} is sound: 2 transactions\n` });
  const bytes = await readFile(path);
  const at = bytes.indexOf('"steps"');
  expect(at).toBeGreaterThan(0);
  const altered = join(folder, 'altered.db');
  await writeFile(altered, bytes.fill('S', at + 1, at + 2));
  const { code, stdout } = await amends('store', 'verify', altered);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^transaction "g\d": its plan or its payloads are not those that were stored, their digest differs\n$/);
});

it('compacts a file that no server has open', async () => {
  const { path, server } = await stored(1);
  expect(await amends('store', 'compact', '--store', path)).toMatchObject({ code: 1, stderr: expect.stringMatching(/in use/) });
  await server.stop();
  const { code, stdout } = await amends('store', 'compact', '--store', path, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ bytesBefore: expect.any(Number), bytesAfter: (await stat(path)).size });
});

it('serve refuses a store whose log has lost something, until it is told to forget that', async () => {
  const { path, server } = await stored(5);
  await server.stop('SIGKILL');
  const wal = `${path}-wal`;
  await truncate(wal, Math.floor((await stat(wal)).size / 2));
  const refused = await amends('serve', '--port', '0', '--grpc-port', '0', '--store', `sqlite:${path}`);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^amends: \S+amends\.db-wal ends after its page \d+: \d+ commits? that (was|were) answered cannot be read\. .*--accept-damaged-log.*\n$/,
  );
  const again = await serving('--store', `sqlite:${path}`, '--accept-damaged-log');
  const { stdout } = await again.stop();
  expect(stdout).toMatch(/"level":"warn".*is given up as told; the log as it was is kept as/);
  const sound = await serving('--store', `sqlite:${path}`);
  expect((await sound.stop()).stdout).not.toMatch(/"level":"warn"/);
});

it('what is finished is deleted after the time that was given for it, and what was done by hand can still be read', async () => {
  const server = await serving(
    '--store',
    `sqlite:${join(scratchFolder(), 'amends.db')}`,
    '--retain-succeeded',
    '1s',
    '--retain-failed',
    'off',
  );
  await saga(server, 'failed', { action: 'http://127.0.0.1:1/none' });
  await amends('tx', 'terminate', 'failed', '--reason', 'a test', '--server', server.url);
  await sagas(server, 3);
  const client = new AmendsClient({ server: server.url });
  onTestFinished(() => client.close());
  const gids = async () => (await client.list()).transactions.map(({ gid }) => gid);
  await expect.poll(gids, { timeout: 20_000 }).toEqual(['failed']);
  const { stdout } = await amends('tx', 'audit', '--server', server.url);
  expect(stdout).toMatch(/^at \(UTC\) .*\n\S+ \S+ +\S+ +terminate +failed +a test\n$/);
  expect(await amends('tx', 'audit', 'g0', '--server', server.url)).toMatchObject({ stdout: 'nothing was done by hand\n' });
});
