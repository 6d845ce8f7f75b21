import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { type Gid, limits } from '@amends/core';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { BranchCall, Transport } from '../../ports/ports.ts';
import { branchCall } from '../../testing/branch-call.ts';
import { httpTransport } from './http-transport.ts';

const opened: { servers: Server[]; transports: Transport[] } = { servers: [], transports: [] };

afterEach(async () => {
  await Promise.all(opened.transports.splice(0).map((transport) => transport.close()));
  for (const server of opened.servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function participant(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  opened.servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers each request with these pieces, each in a packet of its own. */
async function rawParticipant(...pieces: readonly string[]): Promise<string> {
  const server: TcpServer = createTcpServer((socket) => {
    socket.setNoDelay(true).on('error', () => {});
    socket.on('data', async () => {
      for (const piece of pieces) {
        await new Promise((sent) => socket.write(piece, 'latin1', sent));
        await new Promise((turn) => setImmediate(turn));
      }
    });
    onTestFinished(() => void socket.destroy());
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function transport(options: Parameters<typeof httpTransport>[0] = {}): Transport {
  const made = httpTransport(options);
  opened.transports.push(made);
  return made;
}

const told = { gid: "g'1 ü" as Gid, attempt: 2, epoch: 7, payload: Buffer.from('{"a":1}') };

function callTo(url: string, rest: Partial<BranchCall> = {}): BranchCall {
  return branchCall(url, { ...told, ...rest });
}

describe('a call', () => {
  test('keeps the whole answer where that is wanted, and only of those who agree', async () => {
    let status = 200;
    const url = await participant((_request, response) => response.writeHead(status).end('{"id":"r1"}'));
    const { call } = transport();
    expect((await call(callTo(url))).kept).toBeUndefined();
    const { kept } = await call(callTo(url, { keepsAnswer: true }));
    expect(Buffer.from(kept!).toString()).toBe('{"id":"r1"}');
    status = 409;
    expect((await call(callTo(url, { keepsAnswer: true }))).kept).toBeUndefined();
  });

  test('posts the payload byte for byte, with the parameters in alphabetical order behind the own query', async () => {
    const seen: unknown[] = [];
    const url = await participant((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(request.method, request.url, Buffer.concat(chunks).toString(), request.headers);
        response.end();
      });
    });
    const outcome = await transport({ userAgent: 'amends/test' }).call(callTo(`${url}/x?a=1`, { headers: { 'X-Tenant': 't' } }));
    expect(outcome).toMatchObject({ class: 'success', code: 'http_200', exchange: 'answered', detail: '' });
    expect(seen.slice(0, 3)).toEqual(['POST', "/x?a=1&branch_id=01&gid=g'1%20%C3%BC&op=action&trans_type=saga", '{"a":1}']);
    expect(seen[3]).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'amends/test',
      'amends-epoch': '7',
      'amends-attempt': '2',
      'x-tenant': 't',
    });
  });

  test('carries its own epoch and attempt, whatever the headers of the transaction say', async () => {
    let seen: unknown;
    const url = await participant((request, response) => {
      seen = request.headers;
      response.end();
    });
    await transport().call(callTo(url, { headers: { 'Amends-Epoch': '99', 'amends-attempt': '99' } }));
    expect(seen).toMatchObject({ 'amends-epoch': '7', 'amends-attempt': '2' });
  });

  test('carries each header of its transaction once, in the place of ours, and none that only we may set', async () => {
    let raw: readonly string[] = [];
    const url = await participant((request, response) => {
      raw = request.rawHeaders;
      response.end();
    });
    const headers = { Accept: 'text/plain', 'X-A': 'first', 'x-a': 'last', 'Amends-Answer': 'wanted', 'amends-EPOCH': '99' };
    await transport().call(callTo(url, { headers }));
    const valuesOf = (name: string) => raw.filter((_, index) => index % 2 === 1 && raw[index - 1]!.toLowerCase() === name);
    expect(['accept', 'x-a', 'amends-answer', 'amends-epoch'].map(valuesOf)).toEqual([['text/plain'], ['last'], [], ['7']]);
  });

  test('carries headers beyond ASCII as the bytes of UTF-8', async () => {
    let seen: string | string[] | undefined;
    const url = await participant((request, response) => {
      seen = request.headers['x-tenant'];
      response.end();
    });
    const { call } = transport();
    for (const value of ['Zürich', '上海 ❄', '\u010ainjected: 1']) {
      expect(await call(callTo(url, { headers: { 'x-tenant': value } }))).toMatchObject({ class: 'success' });
      expect(Buffer.from(String(seen), 'latin1').toString()).toBe(value);
    }
  });

  test('says that its answer is wanted where the step keeps it', async () => {
    const seen: unknown[] = [];
    const url = await participant((request, response) => {
      seen.push(request.headers['amends-answer']);
      response.end();
    });
    for (const keepsAnswer of [true, false])
      await transport().call(callTo(url, { keepsAnswer, headers: keepsAnswer ? { 'amends-answer': 'no' } : {} }));
    expect(seen).toEqual(['wanted', undefined]);
  });

  test('hears that a human has to look, where there is no verdict', async () => {
    const answering = (status: number) =>
      participant((_request, response) => {
        response.writeHead(status, { 'amends-attention': 'needed' }).end('{"message":"left in the middle"}');
      });
    const outcome = async (status: number) => transport().call(callTo(await answering(status)));
    expect(await outcome(500)).toMatchObject({ class: 'unknown', code: 'participant_stuck', exchange: 'answered' });
    expect(await outcome(200)).toMatchObject({ class: 'success', code: 'http_200' });
    expect(await outcome(409)).toMatchObject({ class: 'failure', code: 'http_409' });
  });

  test('is a GET when there is no payload', async () => {
    let method = '';
    const url = await participant((request, response) => {
      method = request.method ?? '';
      response.end();
    });
    await transport().call(callTo(url, { payload: new Uint8Array() }));
    expect(method).toBe('GET');
  });

  test.each([
    ['native', 200, 'FAILURE in an order note', 'success'],
    ['native', 201, '', 'success'],
    ['native', 409, '{"message":"no money"}', 'failure'],
    ['native', 425, '', 'ongoing'],
    ['native', 500, 'FAILURE', 'unknown'],
    ['dtm', 200, '{"dtm_result":"SUCCESS"}', 'success'],
    ['dtm', 200, '{"dtm_result":"FAILURE"}', 'failure'],
    ['dtm', 200, '{"dtm_result":"ONGOING"}', 'ongoing'],
    ['dtm', 409, '', 'failure'],
    ['dtm', 425, 'FAILURE', 'ongoing'],
    ['dtm', 500, 'FAILURE', 'failure'],
    ['dtm', 201, '', 'unknown'],
  ] as const)('%s: status %i with %j is %s', async (face, status, body, verdict) => {
    const url = await participant((_request, response) => response.writeHead(status).end(body));
    expect(await transport().call(callTo(url, { face }))).toMatchObject({ class: verdict, code: `http_${status}` });
  });

  test('natively keeps the message of a refusal', async () => {
    const url = await participant((_request, response) => response.writeHead(409).end('{"message":"no money"}'));
    expect(await transport().call(callTo(url))).toMatchObject({ class: 'failure', detail: 'no money' });
  });
});

describe('an encoded answer', () => {
  const encodings = [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, br', (text: string) => brotliCompressSync(gzipSync(text))],
    ['identity', (text: string) => Buffer.from(text)],
  ] as const;

  async function encoding(name: string, body: Buffer, status = 200): Promise<string> {
    return participant((_request, response) => response.writeHead(status, { 'content-encoding': name }).end(body));
  }

  test.each(encodings)('by %s is read as what it says: %o', async (name, encode) => {
    const refusal = await encoding(name, encode('{"dtm_result":"FAILURE"}'));
    expect(await transport().call(callTo(refusal, { face: 'dtm' }))).toMatchObject({ class: 'failure', code: 'http_200' });
    const reason = await encoding(name, encode('{"message":"no money"}'), 409);
    expect(await transport().call(callTo(reason))).toMatchObject({ class: 'failure', detail: 'no money' });
    const answer = await encoding(name, encode('{"id":"r1"}'));
    const { kept } = await transport().call(callTo(answer, { keepsAnswer: true }));
    expect(Buffer.from(kept!).toString()).toBe('{"id":"r1"}');
  });

  test.each([
    ['not known', 'rot13', Buffer.from('{}')],
    ['not known, among others', 'gzip, compress', gzipSync('{}')],
    ['done again and again', 'gzip, gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipSync(gzipSync('{}')))))],
    ['not what it says', 'gzip', Buffer.from('{"dtm_result":"SUCCESS"}')],
    ['cut short', 'gzip', gzipSync('{"dtm_result":"SUCCESS"}').subarray(0, -9)],
    ['cut short', 'zstd', zstdCompressSync('{"dtm_result":"SUCCESS"}').subarray(0, -1)],
  ])('that is %s is no success: %s', async (_what, name, body) => {
    const unreadable = { class: 'unknown', code: 'answer_unreadable', exchange: 'answered' };
    const url = await encoding(name, body);
    expect(await transport().call(callTo(url, { face: 'dtm' }))).toMatchObject(unreadable);
    expect(await transport().call(callTo(url))).toMatchObject(unreadable);
    for (const [status, verdict] of [
      [409, 'failure'],
      [425, 'ongoing'],
    ] as const)
      expect(await transport().call(callTo(await encoding(name, body, status)))).toMatchObject({ class: verdict });
  });

  test.each(encodings.slice(0, -1))('by %s that unfolds beyond the limit is too large: %o', async (name, encode) => {
    const small = await encoding(name, encode('0'.repeat(limits.answerBytesMax + 1)));
    expect(await transport().call(callTo(small))).toMatchObject({ class: 'unknown', code: 'answer_too_large' });
    const most = await encoding(name, encode('0'.repeat(limits.answerBytesMax)));
    expect(await transport().call(callTo(most))).toMatchObject({ class: 'success' });
  });

  test('for its way alone is read as what it says too', async () => {
    const body = gzipSync('{"dtm_result":"FAILURE"}').toString('latin1');
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const url = await rawParticipant(`HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n${chunks}`);
    expect(await transport().call(callTo(url, { face: 'dtm' }))).toMatchObject({ class: 'failure', code: 'http_200' });
  });

  test('without a body is one without encoding', async () => {
    expect(await transport().call(callTo(await encoding('gzip', Buffer.alloc(0))))).toMatchObject({ class: 'success' });
  });
});

describe('answers before the answer', () => {
  const early = 'HTTP/1.1 100 Continue\r\n\r\n';
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\ncontent-encoding: rot13\r\n\r\n';
  const refusal = 'HTTP/1.1 409 Conflict\r\ncontent-length: 22\r\n\r\n{"message":"no money"}';

  test.each([
    ['one', [early + refusal]],
    ['several', [`${early}${hints}HTTP/1.1 102 Processing\r\n\r\n${early}${refusal}`]],
    ['each by itself', [early, hints, early, refusal]],
    ['in pieces', [...(early + hints)].concat([refusal.slice(0, 5), refusal.slice(5)])],
  ])('are passed over: %s', async (_how, pieces) => {
    const { call } = transport();
    const url = await rawParticipant(...pieces);
    for (const _twice of [1, 2])
      expect(await call(callTo(url))).toMatchObject({ class: 'failure', code: 'http_409', detail: 'no money' });
  });

  test('are none inside of the answer', async () => {
    const body = `${early}${early}`;
    const url = await rawParticipant(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`, early, early);
    const { kept } = await transport().call(callTo(url, { keepsAnswer: true }));
    expect(Buffer.from(kept!).toString()).toBe(body);
  });

  test('alone are no answer', async () => {
    const outcome = await transport().call(callTo(await rawParticipant(early), { deadlineInMs: 100 }));
    expect(outcome).toMatchObject({ class: 'unknown', code: 'timeout', exchange: 'broken' });
  });

  test.each([
    ['switch to something else', 'HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'],
    ['never end', `HTTP/1.1 100 Continue\r\n${'x: y\r\n'.repeat(10_000)}`],
  ])('that %s are none', async (_what, answer) => {
    const outcome = await transport().call(callTo(await rawParticipant(answer)));
    expect(outcome).toMatchObject({ class: 'unknown', code: 'connection_lost', exchange: 'broken' });
  });
});

describe('without a verdict', () => {
  test('a participant that never answers is broken off at the deadline', async () => {
    const url = await participant(() => {});
    expect(await transport().call(callTo(url, { deadlineInMs: 50 }))).toMatchObject({ code: 'timeout', exchange: 'broken' });
  });

  test('an answer that drips without end is broken off at the deadline too', async () => {
    const url = await participant((_request, response) => void response.write('x'));
    expect(await transport().call(callTo(url, { deadlineInMs: 50 }))).toMatchObject({ code: 'timeout', exchange: 'broken' });
  });

  test('a call whose time is over while it waits for a connection is not sent, and costs no connection', async () => {
    const arrived: string[] = [];
    const sockets = new Set<unknown>();
    const { promise: isThere, resolve: arrive } = Promise.withResolvers<() => void>();
    const url = await participant((request, response) => {
      arrived.push(request.url!.slice(0, 2));
      sockets.add(request.socket);
      if (arrived.length > 1) response.end();
      else arrive(() => response.end());
    });
    const { call } = transport({ connectionsMax: 1 });
    const first = call(callTo(`${url}/1`));
    const answerFirst = await isThere;
    const late = await call(callTo(`${url}/2`, { deadlineInMs: 20 }));
    answerFirst();
    expect(await first).toMatchObject({ class: 'success' });
    expect(late).toMatchObject({ code: 'timeout', exchange: 'refused' });
    expect(await call(callTo(`${url}/3`))).toMatchObject({ class: 'success' });
    expect(arrived).toEqual(['/1', '/3']);
    expect(sockets.size).toBe(1);
  });

  test('a port where nobody listens has not seen the call', async () => {
    const url = await participant(() => {});
    await new Promise((resolve) => opened.servers.pop()!.close(resolve));
    expect(await transport().call(callTo(url))).toMatchObject({ code: 'connect_refused', exchange: 'refused' });
  });

  test('a connection that breaks may have been heard', async () => {
    const url = await participant((request) => request.socket.destroy());
    expect(await transport().call(callTo(url))).toMatchObject({ code: 'connection_lost', exchange: 'broken' });
  });

  test('an answer of 10 MB is not read to its end', async () => {
    let sent = 0;
    const url = await participant((_request, response) => {
      const more = () => {
        while (sent < 10_000_000 && !response.destroyed) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, 'x'))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    expect(await transport().call(callTo(url))).toMatchObject({ code: 'answer_too_large', exchange: 'answered' });
    expect(limits.answerBytesMax).toBeLessThan(100_000);
  });

  test.each([
    [409, 'failure'],
    [425, 'ongoing'],
  ])('only %i, which is a verdict whatever its length', async (status, verdict) => {
    const url = await participant((_request, response) => response.writeHead(status).end('x'.repeat(1_000_000)));
    for (const face of ['native', 'dtm'] as const) {
      const outcome = await transport().call(callTo(url, { face }));
      expect(outcome).toMatchObject({ class: verdict, code: `http_${status}`, detail: 'x'.repeat(limits.answerCharactersKept) });
    }
  });

  test('a redirect, be it to a metadata address, is not followed', async () => {
    const url = await participant((_request, response) =>
      response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end(),
    );
    const outcome = await transport().call(callTo(url));
    expect(outcome).toMatchObject({
      class: 'unknown',
      code: 'http_307',
      detail: 'redirect to http://169.254.169.254/latest not followed',
    });
  });
});

describe('addresses', () => {
  test.each(['169.254.169.254', '2852039166', '[::ffff:169.254.169.254]', '[fe80::1]', '0.0.0.0', '224.0.0.1'])(
    'link-local, metadata, multicast and reserved ones are not connected to unless the caller says so: %s',
    async (host) => {
      expect(await transport().call(callTo(`http://${host}/x`))).toMatchObject({
        code: 'address_forbidden',
        exchange: 'forbidden',
        detail: expect.stringMatching(/is link-local, metadata, multicast or reserved, which is never called$/),
      });
    },
  );

  test('a forbidden address is not connected to, given as such', async () => {
    const refuse = transport({ checkAddress: (address) => `${address} is forbidden` });
    expect(await refuse.call(callTo('http://169.254.169.254/x'))).toMatchObject({
      code: 'address_forbidden',
      exchange: 'forbidden',
      detail: '169.254.169.254 is forbidden',
    });
    expect(await refuse.call(callTo('http://[fe80::1]/x'))).toMatchObject({ code: 'address_forbidden' });
  });

  test('a forbidden address is not connected to, hidden behind a name', async () => {
    const asked: string[] = [];
    const refuse = transport({
      checkAddress(address, hostname) {
        asked.push(`${hostname} ${address}`);
        return 'no';
      },
    });
    expect(await refuse.call(callTo('http://localhost:1/x'))).toMatchObject({ code: 'address_forbidden', exchange: 'forbidden' });
    expect(asked[0]).toMatch(/^localhost (127\.0\.0\.1|::1)$/);
  });
});

test('of more origins than are kept the one unused longest loses its connections', async () => {
  const sockets = new Set<unknown>();
  const listen = () =>
    participant((request, response) => {
      sockets.add(request.socket);
      response.end();
    });
  const [a, b, c] = [await listen(), await listen(), await listen()];
  const { call } = transport({ originsMax: 2 });
  for (const url of [a, b, a, c, a]) expect(await call(callTo(url))).toMatchObject({ class: 'success' });
  expect(sockets.size).toBe(3);
  expect(await call(callTo(b))).toMatchObject({ class: 'success' });
  expect(sockets.size).toBe(4);
});

test('after closing nothing is sent, and what was under way is over', async () => {
  const url = await participant(() => {});
  const closing = transport();
  const underWay = closing.call(callTo(url));
  await new Promise<void>((resolve) => opened.servers[0]!.once('request', () => resolve()));
  await closing.close();
  expect(await underWay).toMatchObject({ class: 'unknown', exchange: 'broken' });
  expect(await closing.call(callTo(url))).toMatchObject({ class: 'unknown', exchange: 'unsent' });
});
