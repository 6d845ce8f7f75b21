import type { ServerResponse } from 'node:http';
import { decorated, openMemoryStore, type Store } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { deadAddress, participant } from '../../testing/participant.ts';
import { runningServer, silentLog } from '../../testing/running-server.ts';
import { scratchFolder } from '../../testing/scratch.ts';

const at = '/api/v1/transactions';
const slowly = { delayMs: 60_000, delayMsMax: 60_000 };

/** A saga of steps that are called in this order. */
function saga(url: string, names: readonly string[], rest: object = {}) {
  const steps = names.map((name) => ({
    action: `${url}/${name}`,
    compensate: `${url}/un${name}`,
    payload: { name },
    retry: slowly,
    compensateRetry: slowly,
  }));
  return { mode: 'saga', steps, ...rest };
}

describe.each([
  ['memory', () => 'memory:'],
  ['SQLite', () => `sqlite:${scratchFolder()}/amends.db`],
])('a transaction on a server with %s', (_store, store) => {
  it('is created, waited for, read and told', async () => {
    const bank = await participant();
    const amends = await runningServer({ store: store() });
    const created = await amends.post(`${at}?waitMs=60000`, saga(bank.url, ['out', 'in'], { gid: 'g1' }));
    expect(created).toMatchObject({ status: 201, body: { gid: 'g1', status: 'succeed', outcome: 'succeeded', hold: null } });
    expect(bank.calls).toEqual(['action /out', 'action /in']);
    expect((await amends.get(`${at}/g1`)).body).toEqual(created.body);
    expect((await amends.history('g1')).map(({ kind, branchId, outcome, code }) => [kind, branchId, outcome, code])).toEqual([
      ['submitted', null, null, null],
      ['answered', '01', 'success', 'http_200'],
      ['answered', '02', 'success', 'http_200'],
    ]);
  });

  it('is rolled back when a step fails', async () => {
    const bank = await participant({ '/in': 409 });
    const amends = await runningServer({ store: store() });
    const { body } = await amends.post(`${at}?waitMs=60000`, saga(bank.url, ['out', 'in']));
    expect(body).toMatchObject({ status: 'failed', outcome: 'failed', decision: { direction: 'roll-back' } });
    expect(bank.calls).toEqual(['action /out', 'action /in', 'compensate /unin', 'compensate /unout']);
  });

  it('is begun once, however often it is sent', async () => {
    const bank = await participant();
    const amends = await runningServer({ store: store() });
    const request = saga(bank.url, ['a'], { gid: 'g1' });
    const answers = await Promise.all(Array.from({ length: 8 }, () => amends.post(`${at}?waitMs=60000`, request)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(bank.calls).toEqual(['action /a']);
    const other = await amends.post(at, saga(bank.url, ['b'], { gid: 'g1' }));
    expect(other).toMatchObject({
      status: 409,
      body: { code: 'conflict', type: 'urn:amends:error:conflict', detail: expect.stringMatching(/^gid: "g1" is in use/) },
    });
    expect(bank.calls).toEqual(['action /a']);
  });

  it('gets a gid when it brings none', async () => {
    const amends = await runningServer({ store: store() });
    const { body } = await amends.post(at, { mode: 'saga', steps: [{ action: '' }] });
    expect(body.gid).toMatch(/^[0-9A-Za-z]{22}$/);
    expect(await amends.end(body.gid)).toMatchObject({ status: 'succeed' });
  });

  it('may have any printable gid', async () => {
    const amends = await runningServer({ store: store() });
    for (const gid of ['a/b', `"quoted" 'gid'`, 'ü?&=#%', '../..', '\u{1f600}']) {
      expect((await amends.post(at, { gid, mode: 'saga', steps: [{ action: '' }] })).status).toBe(201);
      expect(await amends.end(gid)).toMatchObject({ gid, status: 'succeed' });
      expect(await amends.history(gid)).toHaveLength(1);
    }
  });

  it('is listed newest first, page by page, while others begin', async () => {
    const amends = await runningServer({ store: store() });
    const begin = (gid: string) => amends.post(at, { gid, mode: 'saga', steps: [{ action: '' }] });
    for (let i = 0; i < 7; i++) await begin(`old${i}`);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await amends.get(`${at}?limit=3${cursor}`);
      expect(body.transactions.length).toBeLessThanOrEqual(3);
      seen.push(...body.transactions.map(({ gid }: { gid: string }) => gid));
      await begin(`new${seen.length}`);
      cursor = body.next === null ? '' : `&cursor=${encodeURIComponent(body.next)}`;
    } while (cursor !== '');
    expect(seen.sort()).toEqual(['old0', 'old1', 'old2', 'old3', 'old4', 'old5', 'old6']);
  });

  it('is found by status, hold and creation', async () => {
    const bank = await participant({ '/no': 409 });
    const amends = await runningServer({ store: store() });
    const dead = await deadAddress();
    await amends.post(`${at}?waitMs=60000`, saga(bank.url, ['yes'], { gid: 'done' }));
    await amends.post(`${at}?waitMs=60000`, saga(bank.url, ['no'], { gid: 'undone' }));
    const holding = { action: dead, retry: { attemptsMax: 1, atEnd: 'hold' } };
    const held = await amends.post(`${at}?waitMs=60000`, { gid: 'held', mode: 'saga', steps: [holding] });
    expect(held.body.hold).toMatchObject({ branchId: '01', op: 'action' });
    const found = async (query: string) =>
      (await amends.get(`${at}?${query}`)).body.transactions.map(({ gid }: { gid: string }) => gid);
    expect(await found('status=succeed')).toEqual(['done']);
    expect(await found('status=failed&mode=saga')).toEqual(['undone']);
    expect(await found('held=true')).toEqual(['held']);
    expect((await found('held=false')).sort()).toEqual(['done', 'undone']);
    expect(await found('createdBefore=2020-01-01T00:00:00Z')).toEqual([]);
    expect(await found('createdFrom=2020-01-01T00:00:00%2B02:00')).toHaveLength(3);
  });

  it('is overdue when it is not finished in time: warned of and counted once, shown, and nothing else', async () => {
    const held: ServerResponse[] = [];
    const bank = await participant({ '/a': (response) => held.push(response) });
    const { promise: warned, resolve } = Promise.withResolvers<object>();
    const log = { ...silentLog, warn: (fields: object) => resolve(fields) };
    const amends = await runningServer({ store: store() }, { log });
    const { body: begun } = await amends.post(at, saga(bank.url, ['a', 'b'], { gid: 'slow', alarmAfterMs: 40 }));
    expect(begun).toMatchObject({ overdueSince: null });
    expect(await warned).toMatchObject({ gid: 'slow', status: 'submitted' });
    const overdueSince = new Date(Date.parse(begun.createdAt) + 40).toISOString();
    expect((await amends.get(`${at}/slow`)).body).toMatchObject({ outcome: 'running', overdueSince, decision: null });
    expect((await amends.get(at)).body.transactions).toMatchObject([{ gid: 'slow', overdueSince }]);
    expect((await amends.get('/metrics')).body).toContain('amends_transactions_overdue_total{mode="saga"} 1');
    await bank.called('/a');
    for (const response of held) response.writeHead(200).end();
    expect(await amends.end('slow')).toMatchObject({ status: 'succeed', overdueSince });
    const kinds = (await amends.history('slow')).map(({ kind }) => kind);
    expect(kinds).toEqual(['submitted', 'overdue', 'answered', 'answered']);
    expect(bank.calls).toEqual(['action /a', 'action /b']);
  });

  it('belongs to the trace of its request, and tells every participant; another trace is the same saga', async () => {
    const heard: unknown[] = [];
    const bank = await participant({ '/b': 409 }, (_, { traceparent }) => heard.push(traceparent));
    const amends = await runningServer({ store: store() });
    const [traceId, other] = ['4bf92f3577b34da6a3ce929d0e0e4736', 'a'.repeat(32)];
    const submit = (id: string) =>
      amends.ask('POST', at, saga(bank.url, ['a', 'b'], { gid: 'traced' }), { traceparent: `00-${id}-00f067aa0ba902b7-01` });
    expect(await submit(traceId)).toMatchObject({ status: 201 });
    expect(await submit(other)).toMatchObject({ status: 200 });
    expect(await amends.end('traced')).toMatchObject({ status: 'failed' });
    expect((await amends.history('traced')).map((entry) => entry.traceId)).toEqual([traceId, null, null, null, null]);
    for (const each of heard) expect(each).toMatch(new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
    expect(new Set(heard).size).toBe(4);
  });

  it('tells its history page by page', async () => {
    const bank = await participant();
    const amends = await runningServer({ store: store() });
    await amends.post(`${at}?waitMs=60000`, saga(bank.url, ['a', 'b', 'c'], { gid: 'g1' }));
    const page = async (query: string) =>
      (await amends.get(`${at}/g1/history?${query}`)).body.entries.map(({ seq }: { seq: number }) => seq);
    expect(await page('limit=2')).toEqual([1, 2]);
    expect(await page('afterSeq=2&limit=2')).toEqual([3, 4]);
    expect(await page('afterSeq=4')).toEqual([]);
  });

  it('can be ended by hand, by somebody who has looked at it', async () => {
    const amends = await runningServer({ store: store() });
    await amends.post(at, saga(await deadAddress(), ['a'], { gid: 'g1' }));
    const { version } = await amends.rest('g1');
    const act = (body: object, headers = {}) => amends.ask('POST', `${at}/g1/terminate`, body, headers);
    expect(await act({ reason: 'x', expectedVersion: version + 1 })).toMatchObject({
      status: 409,
      body: { code: 'version_conflict' },
    });
    const ended = await act({ reason: 'given up', expectedVersion: version }, { 'x-amends-actor': 'ann' });
    expect(ended).toMatchObject({ status: 200, body: { status: 'failed', decision: { direction: 'terminate', actor: 'ann' } } });
    expect((await amends.history('g1')).at(-1)).toMatchObject({ kind: 'terminated', actor: 'ann', detail: 'given up' });
    expect(await act({ reason: 'again' })).toMatchObject({ status: 409, body: { code: 'already_finished' } });
  });

  it('can be tried again at once by hand', async () => {
    let status = 500;
    const bank = await participant({ '/a': (response) => response.writeHead(status).end() });
    const amends = await runningServer({ store: store() });
    await amends.post(at, saga(bank.url, ['a'], { gid: 'g1' }));
    const { branches, version } = await amends.rest('g1');
    expect(branches[0]!.calls[0]!).toMatchObject({ at: 'waiting', attempts: 1 });
    status = 200;
    expect((await amends.post(`${at}/g1/retry`, { reason: 'it is up again', expectedVersion: version })).status).toBe(200);
    expect(await amends.end('g1')).toMatchObject({ status: 'succeed' });
    expect(bank.calls).toEqual(['action /a', 'action /a']);
  });
});

describe('the native API', () => {
  it.each([
    ['natively', at, { mode: 'saga', steps: [{ action: '' }] }],
    ["by DTM's words", '/api/dtmsvr/submit', { gid: 'g', trans_type: 'saga', steps: [{}], payloads: [''] }],
  ])('says that the store does not take a value, %s', async (_, path, request) => {
    const commit: Store['commit'] = async (changes) => changes.map(() => ({ fate: 'refused', message: 'no such letter' }));
    const amends = await runningServer({}, { store: decorated(openMemoryStore(), { commit }) });
    const { status, headers, body } = await amends.post(path, request);
    const detail = 'the store does not take a value of this change: no such letter';
    const problem = { type: 'urn:amends:error:value_refused', code: 'value_refused', detail };
    expect({ status, body }).toMatchObject({ status: 422, body: path === at ? problem : { message: detail } });
    expect(headers.get('retry-after')).toBeNull();
    expect((await amends.get('/readyz')).status).toBe(200);
  });

  it('ignores a traceparent that is not valid', async () => {
    const heard: unknown[] = [];
    const bank = await participant({}, (_, { traceparent }) => heard.push(traceparent));
    const amends = await runningServer();
    const headers = { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` };
    expect((await amends.ask('POST', at, saga(bank.url, ['a'], { gid: 'g' }), headers)).status).toBe(201);
    await amends.end('g');
    expect(heard).toEqual([undefined]);
    expect((await amends.history('g'))[0]).toMatchObject({ traceId: null });
  });

  it('sends a traceparent of the headers for calls rather than one of its own', async () => {
    const heard: unknown[] = [];
    const bank = await participant({}, (_, { traceparent }) => heard.push(traceparent));
    const amends = await runningServer();
    const body = saga(bank.url, ['a'], { gid: 'g', headers: { Traceparent: 'as given' } });
    const traceparent = `00-${'a'.repeat(32)}-00f067aa0ba902b7-01`;
    expect((await amends.ask('POST', at, body, { traceparent })).status).toBe(201);
    await amends.end('g');
    expect(heard).toEqual(['as given']);
    expect((await amends.history('g'))[0]).toMatchObject({ traceId: 'a'.repeat(32) });
  });

  it.each([0, -1, 1.5, 31_536_000_001, '5000'])('refuses an alarm after %j ms', async (alarmAfterMs) => {
    const amends = await runningServer();
    const { status, body } = await amends.post(at, { mode: 'saga', steps: [{ action: '' }], alarmAfterMs });
    expect({ status, field: body.errors[0].field }).toEqual({ status: 400, field: 'alarmAfterMs' });
  });

  it('answers a wait at its end with the transaction as it is', async () => {
    const slow = await participant({ '/a': () => {} });
    const amends = await runningServer();
    expect((await amends.post(`${at}?waitMs=30`, saga(slow.url, ['a'], { gid: 'g1' }))).body.outcome).toBe('running');
    expect((await amends.get(`${at}/g1?waitMs=30`)).body.branches[0].calls[0]).toEqual({
      op: 'action',
      url: `${slow.url}/a`,
      at: 'running',
      attempts: 1,
    });
  });

  it('refuses more work than it can hold, and takes it when there is room again', async () => {
    const slow = await participant({ '/a': () => {} });
    const amends = await runningServer({ inFlightMax: '2' });
    for (const gid of ['g1', 'g2']) await amends.post(at, saga(slow.url, ['a'], { gid }));
    const refused = await amends.post(at, saga(slow.url, ['a'], { gid: 'g3' }));
    expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await amends.gids()).toHaveLength(2);
    await amends.post(`${at}/g1/terminate`, { reason: 'make room' });
    expect((await amends.post(at, saga(slow.url, ['a'], { gid: 'g3' }))).status).toBe(201);
  });

  it('knows nothing of a gid that nobody has used', async () => {
    const amends = await runningServer();
    for (const path of [`${at}/x`, `${at}/x?waitMs=1000`, `${at}/x/history`])
      expect(await amends.get(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    for (const verb of ['retry', 'terminate'])
      expect(await amends.post(`${at}/x/${verb}`, { reason: 'r' })).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it.each([
    ['GET', `${at}?limit=0`, 'query.limit'],
    ['GET', `${at}?limit=1001`, 'query.limit'],
    ['GET', `${at}?limit=abc`, 'query.limit'],
    ['GET', `${at}?limit=1&limit=2`, 'query.limit'],
    ['GET', `${at}?status=gone`, 'query.status'],
    ['GET', `${at}?held=maybe`, 'query.held'],
    ['GET', `${at}?createdFrom=yesterday`, 'query.createdFrom'],
    ['GET', `${at}?createdFrom=2030-13-01T00:00:00Z`, 'query.createdFrom'],
    ['GET', `${at}?cursor=nonsense`, 'query.cursor'],
    ['GET', `${at}?page=2`, 'query.page'],
    ['GET', `${at}/g?waitMs=-1`, 'query.waitMs'],
    ['GET', `${at}/g?waitMs=1e99`, 'query.waitMs'],
    ['GET', `${at}/g/history?afterSeq=x`, 'query.afterSeq'],
    ['GET', `${at}/${'g'.repeat(129)}`, 'gid'],
    ['GET', `${at}/a%0Ab`, 'gid'],
    ['POST', `${at}/g/retry`, 'reason'],
  ])('refuses %s %s, naming the field', async (method, path, field) => {
    const amends = await runningServer();
    const answer = await amends.ask(method, path, method === 'POST' ? {} : undefined);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field }] } });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('refuses an actor that is too long, and acts by "anonymous" for nobody', async () => {
    const amends = await runningServer();
    await amends.post(at, saga(await deadAddress(), ['a'], { gid: 'g1' }));
    const act = (actor: string) => amends.ask('POST', `${at}/g1/terminate`, { reason: 'r' }, { 'x-amends-actor': actor });
    expect(await act('a'.repeat(129))).toMatchObject({ status: 400, body: { errors: [{ field: 'X-Amends-Actor' }] } });
    expect((await act(' ')).body.decision.actor).toBe('anonymous');
  });

  it.each(['', 'x'.repeat(1_025), 'a\0b', '\ud800', 7, null])('refuses the reason %j', async (reason) => {
    const amends = await runningServer();
    expect(await amends.post(`${at}/g/retry`, { reason })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'reason' }] },
    });
  });

  it('reads the history after the greatest number there is', async () => {
    const amends = await runningServer();
    await amends.post(at, { gid: 'g', mode: 'saga', steps: [{ action: '' }] });
    expect(await amends.get(`${at}/g/history?afterSeq=${Number.MAX_SAFE_INTEGER}`)).toMatchObject({ body: { entries: [] } });
  });

  it('says which methods an address has', async () => {
    const amends = await runningServer();
    for (const [method, path, allowed] of [
      ['DELETE', `${at}/g`, 'GET, HEAD'],
      ['PUT', at, 'POST, GET, HEAD'],
      ['GET', `${at}/g/retry`, 'POST'],
      ['PATCH', '/api/v1/health', 'GET, HEAD'],
      ['OPTIONS', at, 'POST, GET, HEAD'],
      ['HEAD', `${at}/g/retry`, 'POST'],
      ['PUT', '/healthz', 'GET, HEAD'],
      ['GET', '/api/json-rpc', 'POST'],
    ] as const) {
      const answer = await amends.ask(method, path);
      expect(answer.status).toBe(405);
      if (method !== 'HEAD') expect(answer.body.code).toBe('method_not_allowed');
      expect(answer.headers.get('allow')).toBe(allowed);
    }
  });

  it('tells the limits that hold, not those that could', async () => {
    const amends = await runningServer({ bodyBytesMax: '2048' });
    expect((await amends.get('/api/v1/limits')).body).toMatchObject({ bodyBytesMax: 2_048, payloadBytesMax: 2_048 });
  });

  it('tells its health, its limits and itself', async () => {
    const amends = await runningServer();
    expect((await amends.get('/api/v1/health')).body).toMatchObject({ state: 'running', reason: '', nodes: [{}], calling: 0 });
    expect((await amends.get('/api/v1/limits')).body).toMatchObject({ branchesMax: 1_000 });
    expect((await amends.get('/api/v1/openapi.json')).body).toMatchObject({ openapi: '3.1.0' });
  });
});
