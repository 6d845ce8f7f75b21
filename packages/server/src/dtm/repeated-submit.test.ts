/** A client whose answer was lost asks again: it is told how the transaction ended, by every face alike. */
import { openMemoryStore } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { grpcClient } from '../testing/grpc-peer.ts';
import { participant } from '../testing/participant.ts';
import { type RunningServer, runningServer } from '../testing/running-server.ts';

type Request = { readonly gid: string; readonly trans_type: string } & Readonly<Record<string, unknown>>;
/** success; a failure with its text; or whatever else was answered. */
type Told = 'SUCCESS' | { readonly failure: string } | { readonly other: unknown };
type Verb = 'prepare' | 'submit' | 'abort';

/** One way in: the same request, the same words back. */
type Face = (amends: RunningServer) => (verb: Verb, request: Request) => Promise<Told>;

const overHttp: Face = (amends) => async (verb, request) => {
  const { status, body } = await amends.post(`/api/dtmsvr/${verb}`, request);
  if (status === 200 && body.dtm_result === 'SUCCESS') return 'SUCCESS';
  return status === 409 && body.dtm_result === 'FAILURE' ? { failure: body.message } : { other: body };
};

const overJsonRpc: Face = (amends) => async (verb, request) => {
  const { body } = await amends.post('/api/json-rpc', { jsonrpc: '2.0', id: '1', method: verb, params: request });
  if (body.error === null) return 'SUCCESS';
  return body.error.code === -32901 ? { failure: body.error.message } : { other: body };
};

const rpcs = { prepare: 'Prepare', submit: 'Submit', abort: 'Abort' } as const;

const overGrpc: Face = (amends) => {
  const client = grpcClient(amends.grpcAddress);
  return async (verb, { gid, trans_type: type, steps, payloads, query_prepared: query, ...options }) => {
    const answer = await client.dtm(rpcs[verb], {
      Gid: gid,
      TransType: type,
      ...(steps === undefined ? {} : { Steps: JSON.stringify(steps) }),
      BinPayloads: ((payloads ?? []) as string[]).map((payload) => Buffer.from(payload)),
      ...(query === undefined ? {} : { QueryPrepared: query }),
      ...(options['custom_data'] === undefined ? {} : { CustomedData: options['custom_data'] }),
      TransOptions: {
        WaitResult: options['wait_result'] === true,
        RetryInterval: options['retry_interval'] ?? 0,
        TimeoutToFail: options['timeout_to_fail'] ?? 0,
        RequestTimeout: options['request_timeout'] ?? 0,
        BranchHeaders: options['branch_headers'] ?? {},
      },
    });
    if ('reply' in answer) return 'SUCCESS';
    return answer.code === 10 ? { failure: answer.message } : { other: answer };
  };
};

const faces = [
  ['HTTP', overHttp],
  ['JSON-RPC', overJsonRpc],
  ['gRPC', overGrpc],
] as const;

const saga = (gid: string, url: string, names: readonly string[]): Request => ({
  gid,
  trans_type: 'saga',
  steps: names.map((name) => ({ action: `${url}/${name}`, compensate: '' })),
  payloads: names.map(() => '{}'),
});
const message = (gid: string, url: string, names: readonly string[], rest: object = {}): Request => ({
  gid,
  trans_type: 'msg',
  steps: names.map((name) => ({ action: `${url}/${name}` })),
  payloads: names.map(() => '{}'),
  query_prepared: `${url}/query`,
  ...rest,
});
const otherOptions = {
  wait_result: true,
  retry_interval: 7,
  timeout_to_fail: 99,
  request_timeout: 9,
  branch_headers: { a: 'b' },
};

describe.each(faces)('a submit that is repeated after the end, over %s', (_name, face) => {
  it('is SUCCESS when the saga has succeeded, and runs nothing again', async () => {
    const bank = await participant();
    const amends = await runningServer();
    const ask = face(amends);
    expect(await ask('submit', saga('g', bank.url, ['a', 'b']))).toBe('SUCCESS');
    await amends.end('g');
    expect(await ask('submit', saga('g', bank.url, ['a', 'b']))).toBe('SUCCESS');
    expect(await ask('submit', { ...saga('g', bank.url, ['a', 'b']), wait_result: true })).toBe('SUCCESS');
    expect(bank.calls).toEqual(['action /a', 'action /b']);
  });

  it('is FAILURE with the reason when the saga was rolled back', async () => {
    const bank = await participant({ '/b': (response) => response.writeHead(409).end('no money') });
    const amends = await runningServer();
    const ask = face(amends);
    expect(await ask('submit', saga('g', bank.url, ['a', 'b']))).toBe('SUCCESS');
    await amends.end('g');
    const failure = expect.stringMatching(/^current status 'failed', cannot sumbmit\. .*no money FAILURE$/);
    expect(await ask('submit', saga('g', bank.url, ['a', 'b']))).toEqual({ failure });
    expect(await ask('submit', { ...saga('g', bank.url, ['a', 'b']), wait_result: true })).toEqual({ failure });
  });

  it('is FAILURE when it asks for something else, however the first one ended', async () => {
    const bank = await participant({ '/no': 409 });
    const amends = await runningServer();
    const ask = face(amends);
    const failure = expect.stringMatching(/in use by a transaction with other content, cannot submit\. FAILURE$/);
    for (const name of ['yes', 'no']) {
      await ask('submit', saga(name, bank.url, [name]));
      await amends.end(name);
      expect(await ask('submit', saga(name, bank.url, [name, 'more']))).toEqual({ failure });
      expect(await ask('submit', { gid: name, trans_type: 'tcc' })).toEqual({ failure });
    }
    expect(bank.calls).toEqual(['action /yes', 'action /no']);
  });
});

describe.each(faces)('what is prepared and then submitted with other options, over %s', (_name, face) => {
  it.each(['tcc', 'xa'])('%s: is submitted, and may be submitted so again, under way and after the end', async (mode) => {
    const amends = await runningServer();
    const ask = face(amends);
    expect(await ask('prepare', { gid: 'g', trans_type: mode })).toBe('SUCCESS');
    for (let time = 0; time < 3; time++)
      expect(await ask('submit', { gid: 'g', trans_type: mode, ...otherOptions })).toBe('SUCCESS');
    expect(await amends.end('g')).toMatchObject({ status: 'succeed' });
    expect(await ask('submit', { gid: 'g', trans_type: mode })).toBe('SUCCESS');
  });

  it.each(['tcc', 'xa'])('%s: is FAILURE with the reason each time once it was aborted', async (mode) => {
    const amends = await runningServer();
    const ask = face(amends);
    await ask('prepare', { gid: 'g', trans_type: mode });
    await ask('abort', { gid: 'g', trans_type: mode });
    await amends.end('g');
    const failure = "current status 'failed', cannot sumbmit. FAILURE";
    for (let time = 0; time < 2; time++)
      expect(await ask('submit', { gid: 'g', trans_type: mode, ...otherOptions })).toEqual({ failure });
  });

  it('msg: is submitted, and may be submitted so again, under way and after the end', async () => {
    const shop = await participant();
    const amends = await runningServer();
    const ask = face(amends);
    expect(await ask('prepare', message('g', shop.url, ['a', 'b']))).toBe('SUCCESS');
    for (let time = 0; time < 3; time++)
      expect(await ask('submit', message('g', shop.url, ['a', 'b'], otherOptions))).toBe('SUCCESS');
    await amends.end('g');
    expect(await ask('submit', message('g', shop.url, ['a', 'b']))).toBe('SUCCESS');
    expect(shop.calls).toEqual(['action /a', 'action /b']);
  });

  it('msg: is delayed as its submit says, which counts from its prepare', async () => {
    let aheadMs = 0;
    const shop = await participant();
    const amends = await runningServer({}, { store: openMemoryStore({ now: () => Date.now() + aheadMs }) });
    const ask = face(amends);
    expect(await ask('prepare', message('g', shop.url, ['a']))).toBe('SUCCESS');
    for (let time = 0; time < 2; time++)
      expect(await ask('submit', message('g', shop.url, ['a'], { custom_data: '{"delay":600}' }))).toBe('SUCCESS');
    const { createdAt, wakeAt } = await amends.rest('g');
    expect(Date.parse(wakeAt!) - Date.parse(createdAt)).toBe(600_000);
    expect(shop.calls).toEqual([]);
    aheadMs = 600_000;
    expect(await amends.end('g')).toMatchObject({ status: 'succeed' });
  });

  it('msg: is FAILURE, the first time and every other, when it names other deliveries', async () => {
    const shop = await participant();
    const amends = await runningServer();
    const ask = face(amends);
    await ask('prepare', message('g', shop.url, ['a']));
    const failure = expect.stringMatching(/other content, cannot submit\. FAILURE$/);
    for (const other of [message('g', shop.url, ['a', 'b']), { ...message('g', shop.url, ['a']), payloads: ['{"x":1}'] }])
      expect(await ask('submit', other)).toEqual({ failure });
    expect(await ask('submit', message('g', shop.url, ['a']))).toBe('SUCCESS');
    await amends.end('g');
    expect(await ask('submit', message('g', shop.url, ['b']))).toEqual({ failure });
    expect(shop.calls).toEqual(['action /a']);
  });

  it('msg: means those who subscribed to its topic when it began, although others do by now, or nobody', async () => {
    const shop = await participant();
    const amends = await runningServer();
    const ask = face(amends);
    const subscribe = (path: string) =>
      amends.get(`/api/dtmsvr/subscribe?topic=orders&url=${encodeURIComponent(`${shop.url}/${path}`)}`);
    const toTopic = (gid: string, rest: object = {}) => ({
      ...message(gid, shop.url, ['x']),
      steps: [{ action: 'topic://orders' }],
      ...rest,
    });
    await subscribe('one');
    expect(await ask('prepare', toTopic('g'))).toBe('SUCCESS');
    await subscribe('two');
    expect(await ask('prepare', toTopic('g'))).toBe('SUCCESS');
    expect(await ask('submit', toTopic('g', otherOptions))).toBe('SUCCESS');
    await amends.end('g');
    await amends.ask('DELETE', '/api/dtmsvr/topic/orders');
    expect(await ask('submit', toTopic('g'))).toBe('SUCCESS');
    expect(await ask('submit', { ...toTopic('g'), payloads: ['{"other":1}'] })).toEqual({
      failure: expect.stringMatching(/other content/),
    });
    expect(shop.calls).toEqual(['action /one']);
  });
});

describe('the end of a workflow', () => {
  const end = (rest: object) => ({ gid: 'w', trans_type: 'workflow', req_extra: rest });

  it('may be told again; told otherwise it is FAILURE', async () => {
    const amends = await runningServer();
    const ask = overHttp(amends);
    await amends.post('/api/dtmsvr/prepareWorkflow', { gid: 'w', trans_type: 'workflow', custom_data: '{"name":"order"}' });
    const result = Buffer.from('seat 7').toString('base64');
    for (let time = 0; time < 2; time++) expect(await ask('submit', end({ status: 'succeed', result }))).toBe('SUCCESS');
    const other = { failure: "current status 'succeed' with another reason or result, cannot sumbmit. FAILURE" };
    expect(await ask('submit', end({ status: 'succeed' }))).toEqual(other);
    const failed = { failure: "current status 'succeed', cannot sumbmit. FAILURE" };
    expect(await ask('submit', end({ status: 'failed', rollback_reason: 'full' }))).toEqual(failed);
  });
});

describe('natively', () => {
  it('what is created again shows how it ended, and other content is a conflict', async () => {
    const bank = await participant({ '/no': (response) => response.writeHead(409).end('no money') });
    const amends = await runningServer();
    const body = (name: string) => ({ gid: name, mode: 'saga', steps: [{ action: `${bank.url}/${name}` }] });
    for (const [name, status] of [
      ['yes', 'succeed'],
      ['no', 'failed'],
    ] as const) {
      await amends.post('/api/v1/transactions', body(name));
      await amends.end(name);
      expect(await amends.post('/api/v1/transactions', body(name))).toMatchObject({ status: 200, body: { status } });
      const other = { ...body(name), alarmAfterMs: 7 };
      expect(await amends.post('/api/v1/transactions', other)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    }
  });
});
