import { describe, expect, test } from 'vitest';
import { participant } from '../testing/participant.ts';
import { runningServer } from '../testing/running-server.ts';

async function rpc(body: unknown) {
  const amends = await runningServer();
  return amends.ask('POST', '/api/json-rpc', body);
}

const request = (method: string, params: object = {}, rest: object = {}) => ({
  jsonrpc: '2.0',
  id: 'no-use',
  method,
  params,
  ...rest,
});

describe('a request', () => {
  test('is answered with all keys', async () => {
    const { status, body } = await rpc(request('newGid'));
    expect(status).toBe(200);
    expect(body).toEqual({ jsonrpc: '2.0', id: 'no-use', error: null, result: { gid: expect.stringMatching(/^.{22}$/) } });
  });

  test('may have a number for its id', async () => {
    expect((await rpc(request('newGid', {}, { id: 7 }))).body).toMatchObject({ id: 7, error: null });
  });

  test.each([
    ['another version', request('newGid', {}, { jsonrpc: '1.0' }), -32600],
    ['no id', request('newGid', {}, { id: undefined }), -32600],
    ['a batch', [request('newGid')], -32600],
    ['an unknown method', request('fly'), -32601],
    ['a gid with white space at its end', request('prepare', { gid: 'x ', trans_type: 'tcc' }), -32603],
    ['an unknown type', request('submit', { gid: 'x', trans_type: 'magic' }), -32603],
    ['a branch of nothing', request('registerBranch', { gid: 'x', trans_type: 'tcc', branch_id: '01' }), -32901],
  ])('with %s is refused by its code', async (_, body, code) => {
    const answer = await rpc(body);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ jsonrpc: '2.0', error: { code, message: expect.any(String) }, result: null });
  });

  test.each([
    ['a list', '[1]'],
    ['a number', '7'],
    ['no JSON', '{'],
  ])('whose payload is %s, for a method, is refused with the field named', async (_, payload) => {
    const steps = [{ action: 'http://127.0.0.1:1/rpc?method=TransIn' }];
    const saga = { gid: 'x', trans_type: 'saga', protocol: 'json-rpc', steps, payloads: [payload] };
    const { body } = await rpc(request('submit', saga));
    expect(body.error).toMatchObject({ code: -32603, message: expect.stringMatching(/^payloads\[0\]: /) });
  });

  test('to register a branch whose payload is no object, for a method, is refused with the field named', async () => {
    const amends = await runningServer();
    const tcc = { gid: 'x', trans_type: 'tcc', protocol: 'json-rpc' };
    expect((await amends.post('/api/json-rpc', request('prepare', tcc))).body.error).toBeNull();
    const url = 'http://127.0.0.1:1/rpc?method=Confirm';
    const branch = { gid: 'x', trans_type: 'tcc', branch_id: '01', confirm: url, cancel: url, data: '[1]' };
    const refused = await amends.post('/api/json-rpc', request('registerBranch', branch));
    expect(refused.body.error).toMatchObject({ code: -32603, message: expect.stringMatching(/^data: /) });
    expect((await amends.post('/api/json-rpc', request('registerBranch', { ...branch, data: '{}' }))).body.error).toBeNull();
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded'])('that says to be %s is refused', async (type) => {
    const amends = await runningServer();
    const { status, body } = await amends.ask('POST', '/api/json-rpc', request('newGid'), { 'content-type': type });
    expect(status).toBe(415);
    expect(body).toMatchObject({ error: { code: -32700, message: expect.stringMatching(/content-type/) }, result: null });
  });

  test('that has a key twice is refused with 400, like what is not JSON', async () => {
    const amends = await runningServer();
    const { status, body } = await amends.post('/api/json-rpc', '{"jsonrpc":"2.0","id":"1","method":"newGid","id":"2"}');
    expect([status, body.error]).toEqual([400, { code: -32700, message: expect.stringMatching(/has the key "id" twice/) }]);
  });

  test('that is not JSON is refused with 400', async () => {
    const amends = await runningServer();
    const answer = await fetch(`${amends.url}/api/json-rpc`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: -32700 }, id: '' });
  });
});

describe('a transaction by JSON-RPC', () => {
  const message = (url: string) => ({
    gid: 'j1',
    trans_type: 'msg',
    protocol: 'json-rpc',
    steps: [{ action: `${url}/api/json-rpc?method=TransIn` }, { action: `${url}/plain` }],
    payloads: ['{"amount":30}', '{"amount":30}'],
    wait_result: true,
  });

  test('calls participants that name a method by JSON-RPC, the others by HTTP', async () => {
    const amends = await runningServer();
    const bodies: string[] = [];
    const busi = await participant({}, (body) => bodies.push(body));
    const { body } = await amends.ask('POST', '/api/json-rpc', request('submit', message(busi.url)));
    expect(body).toMatchObject({ error: null, result: { dtm_result: 'SUCCESS' } });
    expect(JSON.parse(bodies[0]!)).toMatchObject({
      jsonrpc: '2.0',
      method: 'TransIn',
      params: { amount: 30, gid: 'j1', trans_type: 'msg', branch_id: '01', op: 'action' },
    });
    expect(bodies[1]).toBe('{"amount":30}');
  });

  test.each([
    ['failure', '{"jsonrpc":"2.0","id":"1","error":{"code":-32901,"message":"no"}}', 'failed'],
    ['ongoing', '{"jsonrpc":"2.0","id":"1","error":{"code":-32902,"message":"later"}}', 'submitted'],
    ['any other error', '{"jsonrpc":"2.0","id":"1","error":{"code":-32603,"message":"bug"}}', 'submitted'],
    ['success', '{"jsonrpc":"2.0","id":"1","result":{}}', 'succeed'],
  ])('takes the error code of a participant for %s', async (_, answer, status) => {
    const amends = await runningServer();
    const busi = await participant({ '/api/json-rpc': (response) => response.end(answer) });
    const saga = {
      ...message(busi.url),
      trans_type: 'saga',
      steps: [{ action: `${busi.url}/api/json-rpc?method=TransIn` }],
      payloads: ['{}'],
    };
    await amends.ask('POST', '/api/json-rpc', request('submit', saga));
    expect((await amends.ask('GET', '/api/dtmsvr/query?gid=j1')).body.transaction.status).toBe(status);
  });
});
