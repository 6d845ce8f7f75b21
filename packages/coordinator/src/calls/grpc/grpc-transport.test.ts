import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type Gid, limits } from '@amends/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BranchCall, Transport } from '../../ports/ports.ts';
import { branchCall } from '../../testing/branch-call.ts';
import { checkedLookup } from '../address/checked-lookup.ts';
import { parseAddress } from '../address/parse-address.ts';
import { Deadlines } from '../deadlines.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { grpcExchange } from './grpc-exchange.ts';
import { grpcTransport } from './grpc-transport.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Answer = (stream: ServerHttp2Stream, received: Received) => void;

interface GrpcPeer {
  readonly target: string;
  readonly server: Http2Server;
  readonly received: Received[];
  connections: number;
}

/** A server that speaks HTTP/2 by hand, so that it can also answer what no library would. */
async function participant(answer: Answer = (stream) => answered(stream, 0), settings: Settings = {}): Promise<GrpcPeer> {
  const server = createServer({ settings });
  const sockets = new Set<Socket>();
  const received: Received[] = [];
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const one = { headers, body: Buffer.concat(chunks) };
      received.push(one);
      answer(stream as ServerHttp2Stream, one);
    });
  });
  const port = await listening(server);
  const made = { target: `127.0.0.1:${port}/busi.Busi/TransIn`, server, received, connections: 0 };
  server.on('connection', (socket: Socket) => {
    made.connections += 1;
    sockets.add(socket);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return made;
}

async function listening(server: Http2Server | Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What a server says first: a frame of type 4 without any. */
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

/** A reply, then the status. */
function answered(
  stream: ServerHttp2Stream,
  status: number | string,
  message = '',
  reply: Uint8Array = Buffer.from('done'),
): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status), 'grpc-message': message }));
  stream.end(framed(reply));
}

/** A status and nothing else, as servers refuse. */
function refused(stream: ServerHttp2Stream, status: number | string, message = ''): void {
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': message },
    { endStream: true },
  );
}

function transport(options: Parameters<typeof grpcTransport>[0] = {}): Transport {
  const made = grpcTransport(options);
  onTestFinished(() => made.close());
  return made;
}

const told = { gid: "g'1 ;x" as Gid, attempt: 2, epoch: 7, payload: Buffer.from([8, 30, 0xff]) };

function callTo(url: string, rest: Partial<BranchCall> = {}): BranchCall {
  return branchCall(url, { ...told, face: 'dtm', protocol: 'grpc', ...rest });
}

describe('a call', () => {
  test('sends the payload byte for byte as one message, and tells in the metadata who calls', async () => {
    const bank = await participant();
    const outcome = await transport({ userAgent: 'amends/test' }).call(callTo(bank.target, { headers: { 'X-Tenant': 't' } }));
    expect(outcome).toMatchObject({ class: 'success', code: 'grpc_0', detail: '', exchange: 'answered' });
    const [{ headers, body }] = bank.received as [Received];
    expect([...body]).toEqual([0, 0, 0, 0, 3, 8, 30, 0xff]);
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':path': '/busi.Busi/TransIn',
      ':authority': bank.target.split('/')[0],
      te: 'trailers',
      'content-type': 'application/grpc',
      'user-agent': 'amends/test',
      'grpc-timeout': '2000m',
      'dtm-gid': "g'1 ;x",
      'dtm-trans_type': 'saga',
      'dtm-branch_id': '01',
      'dtm-op': 'action',
      'dtm-dtm': '',
      'amends-epoch': '7',
      'amends-attempt': '2',
      'x-tenant': 't',
    });
  });

  test('is what it is, whatever the headers of the transaction say', async () => {
    const bank = await participant();
    const headers = {
      'Dtm-Gid': 'other',
      'amends-epoch': '99',
      'Content-Type': 'text/html',
      'grpc-timeout': '1H',
      te: 'gzip',
      'x-trace-bin': 'ü',
    };
    expect(await transport().call(callTo(bank.target, { headers }))).toMatchObject({ class: 'success' });
    expect(bank.received[0]!.headers).toMatchObject({
      'dtm-gid': "g'1 ;x",
      'amends-epoch': '7',
      'content-type': 'application/grpc',
      'grpc-timeout': '2000m',
      te: 'trailers',
      'x-trace-bin': Buffer.from('ü').toString('base64'),
    });
  });

  test('that has a workflow run again sends its input inside WorkflowData, and its name as the op', async () => {
    const app = await participant();
    const input = Buffer.alloc(300, 7);
    const call = callTo(app.target, { mode: 'workflow', op: 'resume', workflow: 'book trip', payload: input });
    expect(await transport().call(call)).toMatchObject({ class: 'success' });
    expect(app.received[0]!.headers['dtm-op']).toBe('book trip');
    expect([...app.received[0]!.body.subarray(5, 9)]).toEqual([0x0a, 0xac, 0x02, 7]);
    expect(app.received[0]!.body.byteLength).toBe(5 + 3 + 300);
  });

  test('without a payload sends an empty message', async () => {
    const app = await participant();
    await transport().call(callTo(app.target, { payload: new Uint8Array() }));
    expect([...app.received[0]!.body]).toEqual([0, 0, 0, 0, 0]);
  });

  test('goes to the target with its scheme too', async () => {
    const bank = await participant();
    expect(await transport().call(callTo(`grpc://${bank.target}`))).toMatchObject({ class: 'success' });
  });

  test('shares the connection of its target', async () => {
    const bank = await participant();
    const calls = transport();
    await Promise.all(Array.from({ length: 20 }, () => calls.call(callTo(bank.target))));
    expect(bank.received.length).toBe(20);
    expect(bank.connections).toBe(1);
  });

  test('with an identity that metadata cannot hold is not made', async () => {
    const bank = await participant();
    const calls = transport();
    const expected = { class: 'unknown', code: 'invalid_request', exchange: 'refused' };
    expect(await calls.call(callTo(bank.target, { gid: 'ü' as Gid }))).toMatchObject(expected);
    expect(await calls.call(callTo(bank.target, { workflow: 'a\nb' }))).toMatchObject(expected);
    expect(bank.received).toEqual([]);
  });
});

describe('a status', () => {
  test.each([
    [10, 'no money', 'failure', 'no money'],
    [10, 'ONGOING', 'ongoing', 'ONGOING'],
    [10, 'ONGOING, so to speak', 'failure', 'ONGOING, so to speak'],
    [9, 'later', 'ongoing', 'later'],
    [2, 'FAILURE', 'unknown', 'FAILURE'],
    [14, 'away', 'unknown', 'away'],
    [409, 'as PHP says it', 'unknown', 'as PHP says it'],
    ['x', '', 'unknown', ''],
    [2, '%E4%B8%8D%00', 'unknown', '不\ufffd'],
    [2, '100%', 'unknown', '100%'],
  ])('%s with %j is %s', async (code, message, verdict, detail) => {
    const bank = await participant((stream) => refused(stream, code, message));
    expect(await transport().call(callTo(bank.target))).toMatchObject({
      class: verdict,
      code: `grpc_${code === 'x' ? 2 : code}`,
      detail,
      exchange: 'answered',
    });
  });

  test('behind a reply counts as one without', async () => {
    const bank = await participant((stream) => answered(stream, 10, 'no'));
    expect(await transport().call(callTo(bank.target, { keepsAnswer: true }))).toMatchObject({ class: 'failure', detail: 'no' });
  });

  test.each([1, 4])('%i may come from a library while the function goes on', async (code) => {
    const bank = await participant((stream) => refused(stream, code));
    expect(await transport().call(callTo(bank.target))).toMatchObject({ class: 'unknown', exchange: 'broken' });
  });

  test('of HTTP comes from something that is no gRPC server', async () => {
    const bank = await participant((stream) => stream.respond({ ':status': 503 }, { endStream: true }));
    expect(await transport().call(callTo(bank.target))).toMatchObject({
      class: 'unknown',
      code: 'http_503',
      exchange: 'answered',
    });
  });
});

describe('a kept answer', () => {
  test('is the message of the reply', async () => {
    const bank = await participant((stream) => answered(stream, 0, '', Buffer.from([1, 2, 3])));
    const { kept } = await transport().call(callTo(bank.target, { keepsAnswer: true }));
    expect(kept).toEqual(new Uint8Array([1, 2, 3]));
  });

  test('as large as may be is kept; one byte more is too large, kept or not', async () => {
    const bank = await participant((stream, { headers }) =>
      answered(stream, 0, '', Buffer.alloc(limits.answerBytesMax + Number(headers['x-more']))),
    );
    const calls = transport();
    const call = (more: string, keepsAnswer: boolean) =>
      calls.call(callTo(bank.target, { headers: { 'x-more': more }, keepsAnswer }));
    expect((await call('0', true)).kept?.byteLength).toBe(limits.answerBytesMax);
    const tooLarge = { class: 'unknown', code: 'answer_too_large', exchange: 'answered' };
    expect(await call('1', true)).toMatchObject(tooLarge);
    expect(await call('1', false)).toMatchObject(tooLarge);
  });

  test('that is no message is no answer', async () => {
    const bank = await participant((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end('abc');
    });
    const calls = transport();
    expect(await calls.call(callTo(bank.target, { keepsAnswer: true }))).toMatchObject({
      class: 'unknown',
      code: 'answer_unreadable',
    });
    expect(await calls.call(callTo(bank.target))).toMatchObject({ class: 'success' });
  });
});

describe('without a verdict', () => {
  test('a participant that never answers is broken off at the deadline, and others on its connection are not', async () => {
    const bank = await participant((stream, { headers }) => {
      if (headers['x-slow'] === undefined) answered(stream, 0);
    });
    const calls = transport();
    const slow = calls.call(callTo(bank.target, { deadlineInMs: 50, headers: { 'x-slow': '1' } }));
    expect(await slow).toMatchObject({ class: 'unknown', code: 'timeout', exchange: 'broken' });
    expect(await calls.call(callTo(bank.target))).toMatchObject({ class: 'success' });
    expect(bank.connections).toBe(1);
  });

  test('a port where nobody listens has not seen the call', async () => {
    const bank = await participant();
    await new Promise((resolve) => bank.server.close(resolve));
    expect(await transport().call(callTo(bank.target))).toMatchObject({ code: 'connect_refused', exchange: 'refused' });
  });

  test('a name that does not exist has no address', async () => {
    const outcome = await transport().call(callTo('nobody.invalid:1/a.B/C'));
    expect(outcome).toMatchObject({ code: 'name_unknown', exchange: 'refused' });
  });

  test('a connection that breaks may have been heard; the next call makes a new one', async () => {
    const bank = await participant((stream, { headers }) => {
      if (headers['x-break'] === undefined) answered(stream, 0);
      else stream.session!.destroy();
    });
    const calls = transport();
    const broken = await calls.call(callTo(bank.target, { headers: { 'x-break': '1' } }));
    expect(broken).toMatchObject({ class: 'unknown', code: 'connection_lost', exchange: 'broken' });
    expect(await calls.call(callTo(bank.target))).toMatchObject({ class: 'success' });
    expect(bank.connections).toBe(2);
  });

  test('an error that usually says so does not say that nothing was heard once the call has been sent', async () => {
    const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
    const bank = await participant(() => hear());
    const target = parseAddress(bank.target);
    const channel = new GrpcChannel(target, { lookup: checkedLookup(() => null), tls: {}, pingMsMax: 50 });
    const request = { headers: { ':method': 'POST', ':path': target.path }, message: new Uint8Array(0) };
    const call = grpcExchange(callTo(bank.target), {
      deadlines: new Deadlines(),
      channel: () => channel,
      request: () => request,
    });
    await heard;
    (await channel.connected).destroy(Object.assign(new Error('no route to host'), { code: 'EHOSTUNREACH' }));
    expect(await call).toMatchObject({ class: 'unknown', code: 'connection_lost', exchange: 'broken' });
  });

  test('a server that says good-bye answers what it has; the next call makes a new connection', async () => {
    const bank = await participant((stream, { headers }) => {
      if (headers['x-bye'] !== undefined) stream.session!.close();
      answered(stream, 0);
    });
    const calls = transport();
    expect(await calls.call(callTo(bank.target, { headers: { 'x-bye': '1' } }))).toMatchObject({ class: 'success' });
    expect(await calls.call(callTo(bank.target))).toMatchObject({ class: 'success' });
    expect(bank.connections).toBe(2);
  });

  test('a server that speaks something else is no participant', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    onTestFinished(() => void server.close());
    const port = await listening(server);
    expect(await transport().call(callTo(`127.0.0.1:${port}/a.B/C`))).toMatchObject({
      class: 'unknown',
      exchange: 'refused',
    });
  });

  test('a server that accepts and says nothing has not seen the call', async () => {
    const silent = createTcpServer((socket) => socket.on('error', () => {}).resume());
    onTestFinished(() => void silent.close());
    const call = callTo(`127.0.0.1:${await listening(silent)}/a.B/C`, { deadlineInMs: 50 });
    expect(await transport({ pingMsMax: 50 }).call(call)).toMatchObject({ code: 'timeout', exchange: 'refused' });
  });

  test('a connection whose server has gone silent is given up, with every call on it', async () => {
    const silent = createTcpServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .write(emptySettings),
    );
    onTestFinished(() => void silent.close());
    const port = await listening(silent);
    const calls = transport({ pingMsMax: 50 });
    const target = `127.0.0.1:${port}/a.B/C`;
    const long = calls.call(callTo(target, { deadlineInMs: 60_000 }));
    expect(await calls.call(callTo(target, { deadlineInMs: 50 }))).toMatchObject({ code: 'timeout', exchange: 'broken' });
    expect(await long).toMatchObject({ code: 'connection_lost', exchange: 'broken' });
  });
});

describe('a call that the server has passed over', () => {
  /** Refuses the first streams unread; answers the others. */
  async function refusing(streams: number): Promise<GrpcPeer> {
    let left = streams;
    return participant((stream) => {
      if (left-- > 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else answered(stream, 0);
    });
  }

  test.each([1, 4])('is sent again at once on another connection: %i times', async (times) => {
    const bank = await refusing(times);
    const outcome = await transport().call(callTo(bank.target, { deadlineInMs: 60_000 }));
    expect(outcome).toMatchObject({ class: 'success', exchange: 'answered' });
    expect(outcome.durationMs).toBeLessThan(5_000);
    expect(bank.connections).toBe(times + 1);
    expect(Number.parseInt(String(bank.received.at(-1)!.headers['grpc-timeout']), 10)).toBeLessThanOrEqual(60_000);
  });

  test('each time is an attempt that nobody has heard', async () => {
    const bank = await refusing(99);
    const outcome = await transport().call(callTo(bank.target));
    expect(outcome).toMatchObject({ class: 'unknown', code: 'connect_refused', exchange: 'refused' });
    expect(bank.connections).toBe(5);
  });

  test('leaves the others on its connection alone', async () => {
    const waiting: ServerHttp2Stream[] = [];
    const bank = await participant((stream, { headers }) => {
      if (headers['x-slow'] !== undefined) waiting.push(stream);
      else if (waiting.length > 0 && bank.connections === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else answered(stream, 0);
    });
    const calls = transport();
    const slow = calls.call(callTo(bank.target, { headers: { 'x-slow': '1' } }));
    await expect.poll(() => waiting.length).toBe(1);
    expect(await calls.call(callTo(bank.target))).toMatchObject({ class: 'success' });
    answered(waiting[0]!, 0);
    expect(await slow).toMatchObject({ class: 'success' });
    expect(bank.connections).toBe(2);
  });

  test.each([
    ['without an error', constants.NGHTTP2_NO_ERROR],
    ['with one', constants.NGHTTP2_ENHANCE_YOUR_CALM],
  ])('by a good-bye %s is sent again; one that it may have looked at is not', async (_how, code) => {
    const bank = await participant((stream, { headers }) => {
      if (bank.connections > 1) return answered(stream, 0);
      if (headers['x-last'] === undefined) return;
      stream.session!.goaway(code, stream.id! - 2);
      stream.session!.destroy();
    });
    const calls = transport();
    const seen = calls.call(callTo(bank.target));
    const over = calls.call(callTo(bank.target, { headers: { 'x-last': '1' } }));
    expect(await over).toMatchObject({ class: 'success' });
    expect(await seen).toMatchObject({ class: 'unknown', code: 'connection_lost', exchange: 'broken' });
    expect(bank.connections).toBe(2);
  });

  test('of hundreds at a server that keeps going away none is lost', async () => {
    const bank = await participant((stream) => {
      answered(stream, 0);
      if (bank.received.length % 20 === 0) stream.session!.close();
    });
    const calls = transport();
    const outcomes: string[] = [];
    const caller = async () => {
      for (let count = 0; count < 30; count++) outcomes.push((await calls.call(callTo(bank.target))).class);
    };
    await Promise.all(Array.from({ length: 10 }, caller));
    expect(outcomes.filter((outcome) => outcome !== 'success')).toEqual([]);
    expect(bank.received).toHaveLength(300);
    expect(bank.connections).toBeGreaterThan(10);
  });

  test('because it takes few at once is not sent: the server is heard first', async () => {
    const bank = await participant(undefined, { maxConcurrentStreams: 2 });
    const calls = transport();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => calls.call(callTo(bank.target))));
    expect(outcomes.every((outcome) => outcome.class === 'success')).toBe(true);
    expect(bank.connections).toBe(1);
  });
});

describe('more calls than a server takes on one connection', () => {
  /** Answers nothing before so many calls are there. */
  async function crowded(count: number, maxConcurrentStreams: number): Promise<GrpcPeer> {
    const waiting: ServerHttp2Stream[] = [];
    return participant(
      (stream) => {
        waiting.push(stream);
        if (waiting.length === count) for (const each of waiting.splice(0)) answered(each, 0);
      },
      { maxConcurrentStreams },
    );
  }
  const crowd = (calls: Transport, target: string, count: number) =>
    Promise.all(Array.from({ length: count }, async () => (await calls.call(callTo(target, { deadlineInMs: 10_000 }))).class));

  test('go out at once on another, so that none waits until others have ended', async () => {
    const bank = await crowded(128, 100);
    expect(await crowd(transport(), bank.target, 128)).toEqual(new Array(128).fill('success'));
    expect(bank.connections).toBe(2);
  });

  test('do so when it takes fewer than usual, once it has said so', async () => {
    const bank = await participant(undefined, { maxConcurrentStreams: 1 });
    const calls = transport();
    for (const connections of [1, 2, 3]) {
      await crowd(calls, bank.target, connections);
      expect(bank.connections).toBe(connections);
    }
  });

  test('are never more than eight connections; what is left waits for its turn', async () => {
    const bank = await participant(undefined, { maxConcurrentStreams: 1 });
    const calls = transport();
    for (let wave = 0; wave < 12; wave++) expect(await crowd(calls, bank.target, 20)).toEqual(new Array(20).fill('success'));
    expect(bank.connections).toBe(8);
  });
});

describe('addresses', () => {
  test.each(['169.254.169.254:80/a.B/C', '[fe80::1]:80/a.B/C', 'grpc://0.0.0.0:80/a.B/C', '2852039166:80/a.B/C'])(
    'link-local, metadata and reserved ones are not connected to, however they are written: %s',
    async (target) => {
      expect(await transport().call(callTo(target))).toMatchObject({ code: 'address_forbidden', exchange: 'forbidden' });
    },
  );

  test('a forbidden address is not connected to, hidden behind a name', async () => {
    const bank = await participant();
    const asked: string[] = [];
    const refuse = transport({
      checkAddress(address, hostname) {
        asked.push(`${hostname} ${address}`);
        return 'no';
      },
    });
    const outcome = await refuse.call(callTo(bank.target.replace('127.0.0.1', 'localhost')));
    expect(outcome).toMatchObject({ code: 'address_forbidden', exchange: 'forbidden', detail: 'no' });
    expect(asked[0]).toMatch(/^localhost (127\.0\.0\.1|::1)$/);
    expect(bank.connections).toBe(0);
  });

  test('a name is resolved and checked anew when its connection has failed', async () => {
    const bank = await participant((stream) => void stream.session!.destroy());
    let allowed = true;
    const calls = transport({ checkAddress: () => (allowed ? null : 'moved') });
    const target = bank.target.replace('127.0.0.1', 'localhost');
    expect(await calls.call(callTo(target))).toMatchObject({ exchange: 'broken' });
    allowed = false;
    expect(await calls.call(callTo(target))).toMatchObject({ code: 'address_forbidden', detail: 'moved' });
  });
});

test('of more targets than are kept, the connection unused longest makes room', async () => {
  const [one, two] = [await participant(), await participant()];
  const calls = transport({ targetsMax: 1 });
  for (const { target } of [one, two, one]) expect(await calls.call(callTo(target))).toMatchObject({ class: 'success' });
  expect([one.connections, two.connections]).toEqual([2, 1]);
});

test('after closing nothing is sent, and what was under way is over', async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const bank = await participant(() => resolve());
  const closing = transport();
  const underWay = closing.call(callTo(bank.target));
  await arrived;
  await closing.close();
  expect(await underWay).toMatchObject({ class: 'unknown', exchange: 'broken' });
  expect(await closing.call(callTo(bank.target))).toMatchObject({ class: 'unknown', code: 'stopped', exchange: 'unsent' });
});

test('closing breaks off too what is under way on a connection that takes no more calls', async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const bank = await participant((stream, { headers }) => {
    if (headers['x-slow'] !== undefined) return resolve();
    if (bank.connections === 1) stream.session!.close();
    answered(stream, 0);
  });
  const closing = transport();
  const underWay = closing.call(callTo(bank.target, { headers: { 'x-slow': '1' }, deadlineInMs: 60_000 }));
  await arrived;
  for (const _twice of [1, 2]) await closing.call(callTo(bank.target));
  expect(bank.connections).toBe(2);
  await closing.close();
  expect(await underWay).toMatchObject({ class: 'unknown', exchange: 'broken' });
});
