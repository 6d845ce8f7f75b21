import { once } from 'node:events';
import { renameSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { decorated, openMemoryStore, type Store } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { failingStore } from '../testing/failing-store.ts';
import { runningServer } from '../testing/running-server.ts';
import { scratchFolder } from '../testing/scratch.ts';

const saga = { mode: 'saga', steps: [{ action: '' }] };

describe('a server that works', () => {
  it('is live and ready, and says what it offers', async () => {
    const amends = await runningServer();
    expect(await amends.get('/healthz')).toMatchObject({ status: 200, body: { status: 'live' } });
    expect(await amends.get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
    expect((await amends.get('/')).body).toContain('/api/v1/transactions');
  });

  it('counts what it does, under the names of DTM too', async () => {
    const amends = await runningServer({ store: `sqlite:${scratchFolder()}/amends.db` });
    await amends.post('/api/v1/transactions?waitMs=1000', saga);
    await amends.get('/api/dtmsvr/query?gid=x');
    await amends.get('/api/v1/transactions/x');
    const { body, headers } = await amends.get('/metrics');
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    for (const line of [
      'dtm_server_process_total{type="http",api="createtransaction",status="ok"} 1',
      'dtm_server_process_total{type="http",api="gettransaction",status="fail"} 1',
      'dtm_server_process_total{type="http",api="query",status="ok"} 1',
      'dtm_transaction_handled_duration_count{model="saga"} 1',
      'dtm_transaction_process_total{model="saga",status="ok"} 1',
      'amends_transactions_begun_total{mode="saga"} 1',
      'amends_transactions_ended_total{mode="saga",status="succeed"} 1',
      'amends_load{what="live"} 0',
      'amends_store_up 1',
      'process_cpu_seconds_total',
    ])
      expect(body).toContain(line);
    expect((await amends.get('/api/metrics')).body).toContain('dtm_server_process_total');
  });
});

it('one reading of the store serves all who ask for the health within a second', async () => {
  const store = openMemoryStore();
  let pings = 0;
  const ping: Store['ping'] = () => {
    pings += 1;
    return store.ping();
  };
  const amends = await runningServer({}, { store: decorated(store, { ping }) });
  const began = performance.now();
  for (const path of ['/api/v1/health', '/readyz', '/metrics', '/api/v1/health', '/api/metrics'])
    expect((await amends.get(path)).status).toBe(200);
  expect(pings).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 1_000));
});

describe('a server whose store cannot be written', () => {
  it('is live but not ready, and refuses work until it is written again', async () => {
    const { store, fail } = failingStore(openMemoryStore());
    const amends = await runningServer({}, { store });
    fail('writing');
    expect(await amends.get('/healthz')).toMatchObject({ status: 200 });
    expect(await amends.get('/readyz')).toMatchObject({
      status: 503,
      body: { status: 'not ready', reason: 'the disk is full' },
    });
    const refused = await amends.post('/api/v1/transactions', { ...saga, gid: 'g1' });
    expect(refused).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    const dtmRefused = await amends.post('/api/dtmsvr/submit', { gid: 'g2', trans_type: 'saga', steps: [{}], payloads: [''] });
    expect(dtmRefused).toMatchObject({ status: 503, body: { message: expect.stringMatching(/disk is full/) } });
    expect(dtmRefused.headers.get('retry-after')).toBe('1');
    fail('nothing');
    await expect.poll(async () => (await amends.get('/readyz')).status, { timeout: 10_000 }).toBe(200);
    expect(await amends.post('/api/v1/transactions?waitMs=1000', { ...saga, gid: 'g3' })).toMatchObject({ status: 201 });
  });

  it('tells its metrics and its health even when the store is away', async () => {
    const { store, fail } = failingStore(openMemoryStore());
    const amends = await runningServer({}, { store });
    fail('everything');
    expect((await amends.get('/metrics')).body).toContain('amends_store_up 0');
    expect(await amends.get('/api/v1/health')).toMatchObject({ status: 200, body: { store: null, nodes: [] } });
    expect(await amends.get('/api/v1/transactions/x')).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
    fail('nothing');
  });
});

describe('a server whose store has broken down for good', () => {
  it('is not live, and says so to whoever runs it', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const amends = await runningServer({ store: `sqlite:${scratchFolder()}/amends.db` });
    const [thread] = await started;
    await thread.terminate();
    const reason = expect.stringMatching(/has ended unexpectedly; restart the process$/);
    expect(await amends.lost).toMatchObject({ message: reason });
    expect(await amends.get('/healthz')).toMatchObject({ status: 503, body: { status: 'not live', reason } });
    expect((await amends.get('/readyz')).status).toBe(503);
  });
});

describe('a server whose database is deleted under it', () => {
  it('takes nothing more, and says why, until the file is back', async () => {
    const path = `${scratchFolder()}/amends.db`;
    const amends = await runningServer({ store: `sqlite:${path}` });
    renameSync(path, `${path}.away`);
    const reason = expect.stringMatching(/amends\.db has been deleted while it was open: nothing more is stored/);
    expect(await amends.get('/readyz')).toMatchObject({ status: 503, body: { status: 'not ready', reason } });
    expect(await amends.post('/api/v1/transactions', { gid: 'g', ...saga })).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable', detail: reason },
    });
    renameSync(`${path}.away`, path);
    const again = () => amends.post('/api/v1/transactions', { gid: 'g', ...saga });
    await expect.poll(async () => (await again()).status, { timeout: 5_000 }).toBeLessThan(202);
  });
});

describe('a stranger', () => {
  it('is told that there is nothing', async () => {
    const amends = await runningServer();
    for (const path of ['/nothing', '/api/v1', '/api/v1/nothing', '/api/v2/transactions'])
      expect(await amends.get(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await amends.get(`/api/v1/transactions/${'g'.repeat(3_000)}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    expect(await amends.get('/api/v1/transactions/%zz')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it.each(['/healthz', '/api/v1/transactions', '/nothing'])('that is a web page is refused: %s', async (path) => {
    const amends = await runningServer();
    expect(await amends.ask('GET', path, undefined, { origin: 'http://evil.example.com' })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
  });

  it('that is a web page begins nothing on either face', async () => {
    const amends = await runningServer();
    const origin = { origin: 'null' };
    expect((await amends.ask('POST', '/api/v1/transactions', saga, origin)).status).toBe(403);
    const dtm = await amends.ask(
      'POST',
      '/api/dtmsvr/submit',
      { gid: 'g', trans_type: 'saga', steps: [{}], payloads: [''] },
      origin,
    );
    expect(dtm).toMatchObject({ status: 403, body: { message: expect.stringMatching(/Origin/) } });
    expect(await amends.gids()).toEqual([]);
  });
});
