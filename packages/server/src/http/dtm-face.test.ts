import { describe, expect, it } from 'vitest';
import { deadAddress, participant } from '../testing/participant.ts';
import { type RunningServer, runningServer } from '../testing/running-server.ts';
import { scratchFolder } from '../testing/scratch.ts';

/** A saga as a DTM client sends it. */
function saga(gid: string, url: string, names: readonly string[], rest: object = {}) {
  const steps = names.map((name) => ({ action: `${url}/${name}`, compensate: `${url}/un${name}` }));
  return { gid, trans_type: 'saga', steps, payloads: names.map((name) => JSON.stringify({ name })), ...rest };
}

const success = { status: 200, body: { dtm_result: 'SUCCESS' } };
const dtm = (amends: RunningServer) => ({
  submit: (body: unknown) => amends.post('/api/dtmsvr/submit', body),
  query: async (gid: string) => (await amends.get(`/api/dtmsvr/query?gid=${encodeURIComponent(gid)}`)).body,
  all: async (query: string) => (await amends.get(`/api/dtmsvr/all?${query}`)).body,
  forceStop: (gid: string) => amends.post('/api/dtmsvr/forceStop', { gid }),
  resetNextCronTime: (gid: string) => amends.post('/api/dtmsvr/resetNextCronTime', { gid }),
});
const statuses = (found: { branches: { status: string }[] }) => found.branches.map(({ status }) => status);

describe('a DTM client', () => {
  it('gets a gid, the version and a pong', async () => {
    const amends = await runningServer();
    expect((await amends.get('/api/dtmsvr/newGid')).body).toEqual({
      dtm_result: 'SUCCESS',
      gid: expect.stringMatching(/^\w{22}$/),
    });
    expect((await amends.get('/api/dtmsvr/version')).body).toEqual({ version: expect.any(String) });
    expect((await amends.get('/api/ping')).body).toEqual({ msg: 'pong' });
    expect((await amends.post('/api/ping', {})).body).toEqual({ msg: 'pong' });
    expect((await amends.get('/api/metrics')).body).toContain('dtm_server_info');
  });

  it.each([
    ['memory', () => 'memory:'],
    ['SQLite', () => `sqlite:${scratchFolder()}/amends.db`],
  ])('submits a saga, sees it succeed, and may submit it again: %s', async (_name, store) => {
    const bank = await participant();
    const amends = await runningServer({ store: store() });
    const { submit, query } = dtm(amends);
    expect(await submit(saga('g1', bank.url, ['out', 'in']))).toMatchObject(success);
    await amends.end('g1');
    const found = await query('g1');
    expect(found.transaction).toMatchObject({
      gid: 'g1',
      trans_type: 'saga',
      status: 'succeed',
      finish_time: expect.any(String),
    });
    expect(statuses(found)).toEqual(['prepared', 'succeed', 'prepared', 'succeed']);
    expect(await submit(saga('g1', bank.url, ['out', 'in']))).toMatchObject(success);
    expect(bank.calls).toEqual(['action /out', 'action /in']);
  });

  it('submits within a trace, and participants are told; there is no alarm', async () => {
    const heard: unknown[] = [];
    const bank = await participant({}, (_, { traceparent }) => heard.push(traceparent));
    const amends = await runningServer();
    const traceparent = `00-${'a'.repeat(32)}-00f067aa0ba902b7-00`;
    expect(await amends.ask('POST', '/api/dtmsvr/submit', saga('g1', bank.url, ['a']), { traceparent })).toMatchObject(success);
    expect(await amends.end('g1')).toMatchObject({ overdueSince: null, wakeAt: null });
    expect(heard).toEqual([expect.stringMatching(/^00-a{32}-[0-9a-f]{16}-00$/)]);
    expect((await amends.history('g1'))[0]).toMatchObject({ traceId: 'a'.repeat(32) });
  });

  it('submits again what is under way, and nothing runs twice', async () => {
    const slow = await participant({ '/a': () => {} });
    const amends = await runningServer();
    const { submit } = dtm(amends);
    await submit(saga('g1', slow.url, ['a']));
    await slow.called('/a');
    expect(await submit(saga('g1', slow.url, ['a']))).toMatchObject(success);
    expect(await submit(saga('g1', slow.url, ['b']))).toMatchObject({
      status: 409,
      body: { message: expect.stringMatching(/other content, cannot submit\. FAILURE$/) },
    });
    expect(slow.calls).toEqual(['action /a']);
  });

  it('waits for the result when it says so', async () => {
    const bank = await participant({ '/no': (response) => response.writeHead(409).end('no money'), '/later': 425 });
    const amends = await runningServer();
    const { submit, query } = dtm(amends);
    const waiting = { wait_result: true };
    expect(await submit(saga('g1', bank.url, ['yes'], waiting))).toMatchObject(success);
    const failed = await submit(saga('g2', bank.url, ['yes', 'no'], waiting));
    expect(failed).toMatchObject({ status: 409, body: { dtm_result: 'FAILURE' } });
    expect(failed.body.message).toMatch(/no money FAILURE$/);
    expect(statuses(await query('g2'))).toEqual(['succeed', 'succeed', 'succeed', 'failed']);
    expect(await submit(saga('g3', bank.url, ['later'], waiting))).toMatchObject({
      status: 425,
      body: { dtm_result: 'ONGOING' },
    });
  });

  it('looks up what is not there, and forgets to say what', async () => {
    const amends = await runningServer();
    expect(await dtm(amends).query('x')).toEqual({ branches: [], transaction: null });
    expect(await amends.get('/api/dtmsvr/query')).toMatchObject({ status: 500, body: { message: 'no gid specified' } });
    expect(await amends.get('/api/dtmsvr/query?gid=')).toMatchObject({ status: 500, body: { message: 'no gid specified' } });
  });

  it('lists all, page by page', async () => {
    const amends = await runningServer();
    const { submit, all } = dtm(amends);
    for (let i = 0; i < 5; i++)
      await submit(saga(`g${i}`, '', [], { steps: [{ action: '' }], payloads: [''], wait_result: true }));
    const first = await all('limit=3');
    const second = await all(`limit=3&position=${encodeURIComponent(first.next_position)}`);
    const gids = [...first.transactions, ...second.transactions].map(({ gid }: { gid: string }) => gid);
    expect(gids.sort()).toEqual(['g0', 'g1', 'g2', 'g3', 'g4']);
    expect([second.next_position, await all('status=failed'), await all('transType=tcc')]).toEqual([
      '',
      { transactions: [], next_position: '' },
      { transactions: [], next_position: '' },
    ]);
    expect((await all('gid=g3')).transactions).toMatchObject([{ gid: 'g3' }]);
    expect(await all('gid=x')).toEqual({ transactions: [], next_position: '' });
    expect(await amends.get('/api/dtmsvr/all?limit=abc')).toMatchObject({
      status: 400,
      body: { message: 'limit: convert to int error: abc' },
    });
  });

  it('stops a transaction by force, once', async () => {
    const amends = await runningServer();
    const { submit, forceStop, query } = dtm(amends);
    await submit(saga('g1', await deadAddress(), ['a']));
    await amends.rest('g1');
    expect(await forceStop('g1')).toMatchObject(success);
    expect((await query('g1')).transaction).toMatchObject({ status: 'failed', rollback_time: expect.any(String) });
    expect(await forceStop('g1')).toMatchObject({
      status: 409,
      body: { dtm_result: 'FAILURE', message: 'global transaction force stop error. status: failed. error: FAILURE' },
    });
    expect(await forceStop('x')).toMatchObject({ status: 500, body: { message: 'no TransGlobal with gid: x found' } });
  });

  it('has a transaction tried again now', async () => {
    let status = 500;
    const bank = await participant({ '/a': (response) => response.writeHead(status).end() });
    const amends = await runningServer();
    const { submit, resetNextCronTime } = dtm(amends);
    await submit(saga('g1', bank.url, ['a']));
    await amends.rest('g1');
    status = 200;
    expect(await resetNextCronTime('g1')).toMatchObject(success);
    expect(await amends.end('g1')).toMatchObject({ status: 'succeed' });
    expect(await resetNextCronTime('g1')).toMatchObject(success);
    expect(await resetNextCronTime('x')).toMatchObject({ status: 500, body: { message: 'no TransGlobal with gid: x found' } });
  });

  it('meets its own words where nothing is', async () => {
    const amends = await runningServer();
    expect(await amends.get('/api/dtmsvr/nothing')).toMatchObject({ status: 404, body: '404 page not found' });
    for (const [method, path, allowed] of [
      ['GET', '/api/dtmsvr/submit', 'POST'],
      ['PUT', '/api/dtmsvr/query', 'GET, HEAD'],
      ['GET', '/api/dtmsvr/topic/t', 'DELETE'],
    ] as const) {
      const answer = await amends.ask(method, path);
      expect(answer).toMatchObject({ status: 405, body: { message: `${method} is not possible here; possible: ${allowed}` } });
      expect(answer.headers.get('allow')).toBe(allowed);
    }
  });

  it('sees a native transaction as a plain one', async () => {
    const amends = await runningServer();
    await amends.post('/api/v1/transactions?waitMs=1000', { gid: 'n1', mode: 'saga', steps: [{ action: '' }] });
    expect((await dtm(amends).query('n1')).transaction).toMatchObject({
      gid: 'n1',
      protocol: 'http',
      options: '{"concurrent":false}',
    });
  });
});
