/** Which transactions of an earlier run belong to the examples, asked of a running server. */
import { AmendsClient, type Transaction } from '@amends/client';
import { resolveConfig, type Server, startServer } from '@amends/server';
import { openMemoryStore } from '@amends/store';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leftovers } from '../../tools/start/leftovers.ts';

/** Nobody listens here, so what calls it stays unfinished. */
const ours = 'http://127.0.0.1:9';
const others = 'http://127.0.0.1:10';

let server: Server;
let amends: AmendsClient;

beforeEach(async () => {
  const { config } = resolveConfig({ flags: { port: '0', grpcPort: '0', stopGraceMs: '0' } });
  server = await startServer(config, { store: openMemoryStore() });
  amends = new AmendsClient({ server: server.url });
});
afterEach(async () => {
  await amends.close();
  await server.stop();
});

/** Submits a saga that calls these addresses, as users of the DTM protocol do. */
async function submit(gid: string, ...actions: readonly string[]): Promise<void> {
  const steps = actions.map((action) => ({ action, compensate: '' }));
  const body = JSON.stringify({ gid, trans_type: 'saga', steps, payloads: actions.map(() => '{}') });
  const headers = { 'content-type': 'application/json' };
  const { status } = await fetch(`${server.url}/api/dtmsvr/submit`, { method: 'POST', headers, body });
  expect(status).toBe(200);
}

const found = async () => (await leftovers(amends, new Set([ours]))).map(({ gid }: Transaction) => gid).toSorted();

it('steps without an address do not stand in the way; whatever calls anybody else is left out', async () => {
  await submit('ours', `${ours}/a`);
  await submit('ours-with-an-empty-step', `${ours}/a`, '');
  await submit('mixed', `${ours}/a`, `${others}/b`);
  await submit('others', `${others}/b`);
  expect(await found()).toEqual(['ours', 'ours-with-an-empty-step']);
});

it('all of them are found, however many there are', async () => {
  const gids = Array.from({ length: 120 }, (_, n) => `saga-${String(n).padStart(3, '0')}`);
  await Promise.all(gids.map((gid) => submit(gid, `${ours}/a`)));
  expect(await found()).toEqual(gids);
});
