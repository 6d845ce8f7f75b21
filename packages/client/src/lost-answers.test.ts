/** Every request to the coordinator takes effect, its answer is lost, and it is sent again. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshGid } from '../tests/databases.ts';
import { openStage, type Stage } from '../tests/stage.ts';
import { AmendsClient } from './client.ts';

let stage: Stage;
let client: AmendsClient;
const lost: string[] = [];
const seen = new Set<string>();

/** Passes requests on, and cuts the connection instead of the first answer to each. */
const wire = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const { method = 'GET', url = '' } = request;
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(stage.server.url + url, method === 'GET' ? {} : { method, headers, body });
  const text = await answer.text();
  const key = `${url} ${body}`;
  if (method === 'GET' || seen.has(key)) return void response.writeHead(answer.status, headers).end(text);
  seen.add(key);
  lost.push(url.split('/').at(-1)!);
  response.destroy();
});

beforeAll(async () => {
  stage = await openStage();
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(wire.address() as AddressInfo).port}`;
  client = new AmendsClient({ server: address, retry: { delayMs: 1 } });
});
afterAll(async () => {
  await client.close();
  wire.closeAllConnections();
  wire.close();
  await stage.close();
});

const url = (path: string) => stage.app + path;

it('commits a TCC transaction once', async () => {
  const gid = freshGid();
  const branch = { try: url('/ok'), confirm: url('/ok'), cancel: url('/ok') };
  expect(await client.tcc((tcc) => tcc.call(branch), { gid, waitMs: 5_000 })).toMatchObject({ outcome: 'succeeded' });
  expect(stage.callsOf(gid)).toEqual(['ok try 01', 'ok confirm 01']);
  expect(lost.splice(0)).toEqual(['transactions', 'branches', 'submit']);
});

it('rolls one back once', async () => {
  const gid = freshGid();
  const branch = { try: url('/refuse'), confirm: url('/ok'), cancel: url('/ok') };
  await expect(client.tcc((tcc) => tcc.call(branch), { gid })).rejects.toThrow('sold out');
  expect(await client.wait(gid, { waitMs: 5_000 })).toMatchObject({ outcome: 'failed', reason: 'sold out' });
  expect(stage.callsOf(gid)).toEqual(['refuse try 01', 'ok cancel 01']);
  expect(lost.splice(0)).toEqual(['transactions', 'branches', 'abort']);
});

it('delivers a message once', async () => {
  const gid = freshGid();
  expect(
    await client
      .message()
      .step({ action: url('/ok') })
      .submit({ gid, waitMs: 5_000 }),
  ).toMatchObject({ outcome: 'succeeded' });
  expect(stage.callsOf(gid)).toEqual(['ok action 01']);
  expect(lost.splice(0)).toEqual(['transactions']);
});

it('runs each step of a workflow once', async () => {
  const gid = freshGid();
  let done = 0;
  const work = client.workflow('once', (w) => w.do('count', () => ++done), { resume: url('/ok') });
  expect(await work.run(null, { gid })).toBe(1);
  expect(done).toBe(1);
  expect(lost.splice(0)).toEqual(['transactions', 'branches', 'branches', 'conclude']);
});
