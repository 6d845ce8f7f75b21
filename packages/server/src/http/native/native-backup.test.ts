/** A copy of the store comes over HTTP while the server goes on. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifySqliteFile } from '@amends/store-sql';
import { expect, it } from 'vitest';
import { runningServer } from '../../testing/running-server.ts';
import { scratchFolder } from '../../testing/scratch.ts';

const saga = { mode: 'saga', steps: [] as object[] };

it('is a whole SQLite file of its announced length, and leaves nothing beside the store', async () => {
  const folder = scratchFolder();
  const amends = await runningServer({ store: `sqlite:${join(folder, 'amends.db')}` });
  for (let n = 0; n < 20; n += 1) await amends.post('/api/v1/transactions', { ...saga, gid: `g${n}`, steps: [{ action: '' }] });
  await writeFile(join(folder, 'amends.db-backup'), 'made by hand');
  const answer = await fetch(`${amends.url}/api/v1/backup`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/vnd.sqlite3');
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(String(bytes.length)).toBe(answer.headers.get('content-length'));
  await writeFile(join(folder, 'copy.db'), bytes);
  expect((await verifySqliteFile(join(folder, 'copy.db'))).troubles).toEqual([]);
  const files = ['amends.db', 'amends.db-backup', 'amends.db-wal', 'amends.db-witness', 'copy.db'];
  expect((await readdir(folder)).toSorted()).toEqual(files);
  expect(await readFile(join(folder, 'amends.db-backup'), 'utf8')).toBe('made by hand');
});

it('is made one at a time: a second one is told to come back, and a caller who leaves makes room', async () => {
  const amends = await runningServer({ store: `sqlite:${join(scratchFolder(), 'amends.db')}` });
  const statuses = (await Promise.all([1, 2, 3].map(() => fetch(`${amends.url}/api/v1/backup`)))).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 409, 409]);
  await expect.poll(async () => (await fetch(`${amends.url}/api/v1/backup`)).status).toBe(200);
});

it('makes room for the next one when a caller leaves in the middle, or asks for the head only', async () => {
  const amends = await runningServer({ store: `sqlite:${join(scratchFolder(), 'amends.db')}` });
  const payload = { text: 'x'.repeat(900_000) };
  for (let n = 0; n < 12; n += 1) await amends.post('/api/v1/transactions', { ...saga, steps: [{ action: '', payload }] });
  const left = new AbortController();
  const answer = await fetch(`${amends.url}/api/v1/backup`, { signal: left.signal });
  expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(9_000_000);
  await answer.body!.getReader().read();
  left.abort();
  await expect.poll(async () => (await fetch(`${amends.url}/api/v1/backup`, { method: 'HEAD' })).status).toBe(200);
  await expect.poll(async () => (await fetch(`${amends.url}/api/v1/backup`)).status).toBe(200);
});

it('is refused for a store in memory', async () => {
  const amends = await runningServer();
  const { status, body } = await amends.get('/api/v1/backup');
  expect(status).toBe(501);
  expect(body).toMatchObject({ code: 'not_implemented', detail: expect.stringMatching(/--store sqlite:PATH/) });
});
