import { once } from 'node:events';
import { connect } from 'node:net';
import { openMemoryStore } from '@amends/store';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { failingStore } from '../testing/failing-store.ts';
import { grpcClient, grpcParticipant } from '../testing/grpc-peer.ts';
import { participant } from '../testing/participant.ts';
import { type RunningServer, runningServer } from '../testing/running-server.ts';

async function amendsOverGrpc(flags: Readonly<Record<string, string>> = {}) {
  const amends = await runningServer(flags);
  return { ...amends, grpc: grpcClient(amends.grpcAddress) };
}

const saga = (gid: string, address: string, rest: object = {}) => ({
  Gid: gid,
  TransType: 'saga',
  Steps: JSON.stringify([
    { action: `${address}/busi.Busi/TransOut`, compensate: `${address}/busi.Busi/TransOutRevert` },
    { action: `${address}/busi.Busi/TransIn`, compensate: `${address}/busi.Busi/TransInRevert` },
  ]),
  BinPayloads: [Buffer.from([8, 30]), Buffer.from([8, 30, 0xff])],
  TransOptions: { WaitResult: true },
  ...rest,
});

describe('a saga over gRPC', () => {
  test('calls its participants with the bytes as they came, and tells who calls in the metadata', async () => {
    const { grpc } = await amendsOverGrpc();
    const bank = await grpcParticipant();
    const options = { WaitResult: true, BranchHeaders: { 'Test-Header': 'yes' } };
    expect(await grpc.dtm('Submit', saga('g1', bank.address, { TransOptions: options }))).toEqual({ reply: {} });
    expect(bank.received.map(({ method }) => method)).toEqual(['TransOut', 'TransIn']);
    expect([...bank.received[1]!.bytes]).toEqual([8, 30, 0xff]);
    expect(bank.received[0]!.metadata).toMatchObject({
      'dtm-gid': 'g1',
      'dtm-trans_type': 'saga',
      'dtm-branch_id': '01',
      'dtm-op': 'action',
      'dtm-dtm': '',
      'test-header': 'yes',
      'amends-attempt': '1',
    });
  });

  test('is undone when a participant aborts, and says why', async () => {
    const { grpc } = await amendsOverGrpc();
    const bank = await grpcParticipant(({ method }) =>
      method === 'TransIn' ? { code: status.ABORTED, details: 'no such account' } : null,
    );
    const answer = await grpc.dtm('Submit', saga('g2', bank.address));
    expect(answer).toMatchObject({ code: status.ABORTED, message: expect.stringMatching(/no such account.*FAILURE$/) });
    expect(bank.received.map(({ method }) => method)).toEqual(['TransOut', 'TransIn', 'TransInRevert', 'TransOutRevert']);
  });

  test.each(['不够', '😀', '100 %'])('is undone for a long reason too, which is cut: %s', async (words) => {
    const { grpc } = await amendsOverGrpc();
    const details = words.repeat(1_000);
    const bank = await grpcParticipant(({ method }) => (method === 'TransOut' ? { code: status.ABORTED, details } : null));
    const answer = await grpc.dtm('Submit', saga('long', bank.address));
    expect(answer).toMatchObject({ code: status.ABORTED, message: expect.stringMatching(/ FAILURE$/) });
    expect(encodeURI((answer as { message: string }).message).length).toBeLessThanOrEqual(4_096);
  });

  test.each([
    ['ABORTED with the word ONGOING', { code: status.ABORTED, details: 'ONGOING' }],
    ['FAILED_PRECONDITION', { code: status.FAILED_PRECONDITION, details: 'later' }],
  ])('is open while a participant answers %s', async (_, refusal) => {
    const { grpc } = await amendsOverGrpc();
    const bank = await grpcParticipant(() => refusal);
    expect(await grpc.dtm('Submit', saga('g3', bank.address))).toMatchObject({ code: status.FAILED_PRECONDITION });
    expect(bank.received.length).toBe(1);
  });

  test('may have steps over HTTP', async () => {
    const { grpc } = await amendsOverGrpc();
    const bank = await grpcParticipant();
    const http = await participant();
    const steps = [{ action: `${bank.address}/busi.Busi/TransOut` }, { action: `${http.url}/in` }];
    const payloads = [Buffer.from([8, 1]), Buffer.from('{"amount":1}')];
    const message = saga('mixed', bank.address, { Steps: JSON.stringify(steps), BinPayloads: payloads });
    expect(await grpc.dtm('Submit', message)).toEqual({ reply: {} });
    expect(http.calls.length).toBe(1);
  });
});

describe('reflection', () => {
  /** Fields 7 and 4 of `ServerReflectionRequest`. */
  const listServices = Buffer.from([(7 << 3) | 2, 0]);
  const fileOf = (symbol: string) => Buffer.from([(4 << 3) | 2, symbol.length, ...Buffer.from(symbol)]);

  test('tells which rpcs there are, where it is asked for', async () => {
    const { grpc } = await amendsOverGrpc({ grpcReflection: 'true' });
    const services = (await grpc.reflection(listServices)).toString('latin1');
    expect(services).toContain('dtmgimp.Dtm');
    expect(services).toContain('grpc.health.v1.Health');
    expect((await grpc.reflection(fileOf('dtmgimp.Dtm'))).toString('latin1')).toContain('DtmBranchRequest');
    expect(await grpc.dtm('NewGid', {})).toMatchObject({ reply: { Gid: expect.any(String) } });
  });

  test('is not there by itself', async () => {
    const { grpc } = await amendsOverGrpc();
    await expect(grpc.reflection(listServices)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

test('a message is asked about with no bytes at all, then delivered', async () => {
  const { grpc, ask } = await amendsOverGrpc();
  const bank = await grpcParticipant();
  const message = {
    Gid: 'm1',
    TransType: 'msg',
    Steps: JSON.stringify([{ action: `${bank.address}/busi.Busi/TransIn` }]),
    BinPayloads: [Buffer.from([8, 1])],
    QueryPrepared: `${bank.address}/busi.Busi/Query`,
    TransOptions: { TimeoutToFail: 1 },
  };
  expect(await grpc.dtm('Prepare', message)).toEqual({ reply: {} });
  await expect
    .poll(async () => (await ask('GET', '/api/dtmsvr/query?gid=m1')).body.transaction.status, { timeout: 5_000 })
    .toBe('succeed');
  expect(bank.received.map(({ method, bytes }) => [method, bytes.length])).toEqual([
    ['Query', 0],
    ['TransIn', 2],
  ]);
});

test('tcc branches are registered and confirmed', async () => {
  const { grpc } = await amendsOverGrpc();
  const bank = await grpcParticipant();
  const tcc = { Gid: 't1', TransType: 'tcc', TransOptions: { WaitResult: true } };
  expect(await grpc.dtm('Prepare', tcc)).toEqual({ reply: {} });
  const [confirm, cancel] = [`${bank.address}/busi.Busi/TransIn`, `${bank.address}/busi.Busi/TransInRevert`];
  const branch = { Gid: 't1', TransType: 'tcc', BranchID: '01', Data: { confirm, cancel }, BusiPayload: Buffer.from([8, 5]) };
  expect(await grpc.dtm('RegisterBranch', branch)).toEqual({ reply: {} });
  expect(await grpc.dtm('RegisterBranch', branch)).toEqual({ reply: {} });
  expect(await grpc.dtm('Submit', tcc)).toEqual({ reply: {} });
  expect(bank.received.map(({ method, metadata }) => [method, metadata['dtm-op']])).toEqual([['TransIn', 'confirm']]);
  expect(await grpc.dtm('RegisterBranch', { ...branch, BranchID: '02' })).toMatchObject({ code: status.ABORTED });
});

test('a workflow gets its recorded steps and its result again', async () => {
  const { grpc } = await amendsOverGrpc();
  const workflow = { Gid: 'w1', TransType: 'workflow', CustomedData: '{"name":"book","data":"AQ=="}', QueryPrepared: '' };
  expect(await grpc.dtm('PrepareWorkflow', workflow)).toMatchObject({ reply: { Transaction: { Status: 'prepared' } } });
  const step = {
    Gid: 'w1',
    TransType: 'workflow',
    BranchID: '01',
    Data: { op: 'action', status: 'succeed' },
    BusiPayload: Buffer.from([9]),
  };
  expect(await grpc.dtm('RegisterBranch', step)).toEqual({ reply: {} });
  const end = { Gid: 'w1', TransType: 'workflow', ReqExtra: { status: 'succeed', result: 'Kg==' } };
  expect(await grpc.dtm('Submit', end)).toEqual({ reply: {} });
  expect(await grpc.dtm('PrepareWorkflow', workflow)).toMatchObject({
    reply: {
      Transaction: { Status: 'succeed', Result: 'Kg==' },
      Progresses: [{ BranchID: '01', Op: 'action', Status: 'succeed', BinData: Buffer.from([9]) }],
    },
  });
  expect(await grpc.dtm('Submit', { ...end, ReqExtra: { status: 'hacked' } })).toMatchObject({ code: status.INVALID_ARGUMENT });
});

test('topics are subscribed to, with the words of DTM', async () => {
  const { grpc } = await amendsOverGrpc();
  const topic = { Topic: 'orders', URL: 'http://127.0.0.1:1/x', Remark: '' };
  expect(await grpc.dtm('Subscribe', topic)).toEqual({ reply: {} });
  expect(await grpc.dtm('Subscribe', topic)).toMatchObject({ code: status.UNKNOWN, message: 'this url exists' });
  expect(await grpc.dtm('Unsubscribe', topic)).toEqual({ reply: {} });
  expect(await grpc.dtm('DeleteTopic', topic)).toEqual({ reply: {} });
  expect(await grpc.dtm('DeleteTopic', topic)).toMatchObject({ code: status.UNKNOWN, message: 'storage: NotFound' });
});

describe('bad input', () => {
  test.each([
    ['an invented type', { Gid: 'b', TransType: 'magic' }, /^trans_type: /],
    ['no type', { Gid: 'b' }, /^trans_type: /],
    ['no gid', { TransType: 'tcc' }, /^gid: /],
    ['a gid with white space at its end', { Gid: 'x ', TransType: 'tcc' }, /^gid: .* white space/],
    ['steps that are no JSON', { Gid: 'b', TransType: 'saga', Steps: '[{' }, /^Steps: /],
    ['fewer payloads than steps', { Gid: 'b', TransType: 'msg', Steps: '[{"action":""}]' }, /^payloads: /],
    [
      'a target that is no method',
      { Gid: 'b', TransType: 'saga', Steps: '[{"action":"nowhere"}]', BinPayloads: [Buffer.from([1])] },
      /^steps\[0\]\.action: /,
    ],
  ])('%s is refused with the field named, and nothing is stored', async (_, message, complaint) => {
    const { grpc, ask } = await amendsOverGrpc();
    const rpc = (message as { TransType?: string }).TransType === 'tcc' ? 'Prepare' : 'Submit';
    expect(await grpc.dtm(rpc, message)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(complaint),
    });
    expect((await ask('GET', '/api/dtmsvr/query?gid=b')).body.transaction).toBeNull();
  });

  test('bytes that are no message, methods that are none, and messages too large', async () => {
    const { grpc } = await amendsOverGrpc();
    const submit = '/dtmgimp.Dtm/Submit';
    expect(await grpc.raw(submit, Buffer.from([0xff, 0xff, 0xff]))).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await grpc.raw('/dtmgimp.Dtm/Nothing', Buffer.alloc(0))).toMatchObject({ code: status.UNIMPLEMENTED });
    expect(await grpc.raw(submit, Buffer.alloc(2 << 20))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(await grpc.dtm('NewGid', {})).toMatchObject({ reply: { Gid: expect.stringMatching(/^.{22}$/) } });
  });

  test.each([
    ['claims more bytes than there are', [0x0a, 99, 0x67]],
    ['is not UTF-8', [0x0a, 2, 0x67, 0xff]],
  ])('a text that %s is refused', async (_, gid) => {
    const { grpc } = await amendsOverGrpc();
    // DtmRequest { TransType: "tcc", Gid }
    const bytes = Buffer.from([0x12, 3, 0x74, 0x63, 0x63, ...gid]);
    const refusal = { code: status.INVALID_ARGUMENT, message: expect.stringMatching(/^message: /) };
    expect(await grpc.raw('/dtmgimp.Dtm/Prepare', bytes)).toMatchObject(refusal);
  });

  test.each([
    ['a gid', { Gid: 'gü', TransType: 'saga', Steps: '[{"action":""}]', BinPayloads: [Buffer.from([1])] }, /^gid: .* ASCII/],
    [
      'the name of a workflow',
      { Gid: 'b', TransType: 'workflow', CustomedData: '{"name":"büch"}' },
      /^custom_data\.name: .* ASCII/,
    ],
  ])('%s that metadata cannot hold is refused', async (_, message, complaint) => {
    const { grpc } = await amendsOverGrpc();
    const rpc = message.TransType === 'workflow' ? 'PrepareWorkflow' : 'Submit';
    expect(await grpc.dtm(rpc, message)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(complaint),
    });
  });

  test.each(['', 'null', '[]'])('steps written as %j are none', async (Steps) => {
    const { grpc } = await amendsOverGrpc();
    expect(await grpc.dtm('Prepare', { Gid: 't', TransType: 'tcc', Steps })).toEqual({ reply: {} });
  });

  test('what old clients send as field 4 of the options means nothing', async () => {
    const { grpc } = await amendsOverGrpc();
    // DtmRequest { Gid: "o", TransType: "tcc", TransOptions: { PassthroughHeaders: ["x"] } }
    const bytes = Buffer.from([0x0a, 1, 0x6f, 0x12, 3, 0x74, 0x63, 0x63, 0x1a, 3, 0x22, 1, 0x78]);
    expect(await grpc.raw('/dtmgimp.Dtm/Prepare', bytes)).toEqual({ reply: {} });
  });

  test.each([
    ['negative', -1],
    ['longer than a number', Number.MAX_SAFE_INTEGER * 4],
  ])('an option that is %s is refused with the field named', async (_, RetryInterval) => {
    const { grpc } = await amendsOverGrpc();
    const message = { Gid: 'b', TransType: 'tcc', TransOptions: { RetryInterval } };
    expect(await grpc.dtm('Prepare', message)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(/^retry_interval: /),
    });
  });
});

describe('a caller that no longer waits', () => {
  /** Resolves when the server has ended so many submits without success. */
  async function submitsEnded(ask: RunningServer['ask'], count: number): Promise<void> {
    const line = `dtm_server_process_total{type="grpc",api="submit",status="fail"} ${count}`;
    for (;;) if (String((await ask('GET', '/metrics')).body).includes(line)) return;
  }

  const silence = () => participant({ '/never': () => {} });
  const waits = (url: string) => ({
    Gid: 'late',
    TransType: 'saga',
    Steps: JSON.stringify([{ action: `${url}/never` }]),
    BinPayloads: [Buffer.from('{}')],
    TransOptions: { WaitResult: true, RequestTimeout: 600 },
  });

  test('because its deadline is over ends the wait, not the saga', async () => {
    const { grpc, ask } = await amendsOverGrpc();
    const bank = await silence();
    expect(await grpc.dtm('Submit', waits(bank.url), { timeoutMs: 200 })).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await submitsEnded(ask, 1);
    expect((await ask('GET', '/api/dtmsvr/query?gid=late')).body.transaction.status).toBe('submitted');
  });

  test('because it has hung up ends the wait, not the saga', async () => {
    const { grpc, ask } = await amendsOverGrpc();
    const bank = await silence();
    const answer = grpc.dtm('Submit', waits(bank.url));
    await bank.called('/never');
    grpc.hangUp();
    expect(await answer).toMatchObject({ code: status.CANCELLED });
    await submitsEnded(ask, 1);
    expect((await ask('GET', '/api/dtmsvr/query?gid=late')).body.transaction.status).toBe('submitted');
  });
});

test.each([
  ['over gRPC, inside the message of its service', 'grpc'],
  ['over HTTP, as it is', 'http'],
])('a workflow that goes silent is run again %s', async (_, by) => {
  const { grpc } = await amendsOverGrpc();
  const app = await grpcParticipant();
  const bodies: string[] = [];
  const http = await participant({}, (body) => bodies.push(body));
  const workflow = {
    Gid: 'w2',
    TransType: 'workflow',
    CustomedData: `{"name":"book","data":"${Buffer.from('hello').toString('base64')}"}`,
    QueryPrepared: by === 'grpc' ? `${app.address}/workflow.Workflow/Execute` : `${http.url}/resume`,
    TransOptions: { RetryInterval: 1 },
  };
  expect(await grpc.dtm('PrepareWorkflow', workflow)).toMatchObject({ reply: { Transaction: { Status: 'prepared' } } });
  if (by === 'http') {
    await http.called('/resume');
    expect([http.calls, bodies]).toEqual([['book /resume'], ['hello']]);
  } else {
    await app.called('Execute');
    expect(app.received[0]!.metadata).toMatchObject({ 'dtm-op': 'book', 'dtm-branch_id': '00', 'dtm-trans_type': 'workflow' });
    expect([...app.received[0]!.bytes]).toEqual([0x0a, 5, ...Buffer.from('hello')]);
  }
});

describe('stopping', () => {
  test('ends connections that are idle, and those that have said nothing', async () => {
    const amends = await runningServer({ stopGraceMs: '0' });
    const grpc = grpcClient(amends.grpcAddress);
    expect(await grpc.dtm('NewGid', {})).toMatchObject({ reply: {} });
    const [, port] = amends.grpcAddress.split(':');
    const mute = connect(Number(port), '127.0.0.1').resume();
    await once(mute, 'connect');
    await Promise.all([once(mute, 'close'), amends.stop()]);
    expect(await grpc.dtm('NewGid', {})).toMatchObject({ code: status.UNAVAILABLE });
  });
});

test('the health check tells whether it is ready', async () => {
  const { grpc } = await amendsOverGrpc();
  expect(await grpc.health()).toEqual({ reply: { status: 1 } });
  expect(await grpc.health('dtmgimp.Dtm')).toEqual({ reply: { status: 1 } });
  expect(await grpc.health('other')).toMatchObject({ code: status.NOT_FOUND });
});

test('the health check tells that the store cannot be written', async () => {
  const failing = failingStore(openMemoryStore());
  const amends = await runningServer({}, { store: failing.store });
  failing.fail('everything');
  const grpc = grpcClient(amends.grpcAddress);
  expect(await grpc.health()).toEqual({ reply: { status: 2 } });
  expect(await grpc.dtm('Submit', saga('f', 'http://127.0.0.1:1'))).toMatchObject({ code: status.UNAVAILABLE });
});

describe('a watch of the health', () => {
  test('tells the status at once, and each change of it', async () => {
    const failing = failingStore(openMemoryStore());
    const amends = await runningServer({}, { store: failing.store });
    const { statuses } = grpcClient(amends.grpcAddress).watchHealth();
    expect((await statuses.next()).value).toEqual({ status: 1 });
    failing.fail('everything');
    expect((await statuses.next()).value).toEqual({ status: 2 });
    failing.fail('nothing');
    expect((await statuses.next()).value).toEqual({ status: 1 });
  });

  test('of a service that is not there tells so, and does not end', async () => {
    const { grpc } = await amendsOverGrpc();
    const { statuses } = grpc.watchHealth('other');
    expect((await statuses.next()).value).toEqual({ status: 3 });
  });

  test('ends when the server stops, which waits for nobody', async () => {
    const amends = await runningServer({ stopGraceMs: '60000' });
    const { statuses } = grpcClient(amends.grpcAddress).watchHealth();
    await statuses.next();
    await amends.stop();
    expect(await statuses.next()).toMatchObject({ done: true });
  });
});

test('who acts on a topic is told by metadata, and refused when the name is too long', async () => {
  const { grpc, get } = await amendsOverGrpc();
  const topic = { Topic: 't', URL: 'http://a.example/', Remark: '' };
  expect(await grpc.dtm('Subscribe', topic, { actor: 'x'.repeat(1_000) })).toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: expect.stringMatching(/^X-Amends-Actor: has 1000 characters/),
  });
  expect(await grpc.dtm('Subscribe', topic, { actor: 'ann' })).toEqual({ reply: {} });
  expect((await get('/api/v1/audit')).body.entries).toMatchObject([{ actor: 'ann', verb: 'subscribe' }]);
});
