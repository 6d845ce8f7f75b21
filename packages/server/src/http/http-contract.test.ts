/** What HTTP itself asks of a server, on a connection of one's own: each refusal is a problem document. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { runningServer, silentLog } from '../testing/running-server.ts';
import { createApp } from './app.ts';
import { makeFallback } from './fallback.ts';

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends these bytes, and reads until the server closes the connection. */
async function exchange(url: string, sent: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(sent);
  return answerOn(socket);
}

async function answerOn(socket: Socket): Promise<RawAnswer> {
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body };
}

const host = 'Host: localhost\r\n';
const post = `POST /api/v1/transactions HTTP/1.1\r\n${host}`;

describe('HTTP answers with a problem document', () => {
  it.each([
    [
      'headers beyond their limit',
      `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(17_000)}\r\n\r\n`,
      431,
      'headers_too_large',
      /16384/,
    ],
    ['an address beyond it', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\n${host}\r\n`, 431, 'headers_too_large', /16384/],
    ['an expectation', `GET / HTTP/1.1\r\n${host}Expect: magic\r\n\r\n`, 417, 'expectation_failed', /Expect: is "magic"/],
    ['what is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 400, 'invalid_request', /not valid HTTP\/1\.1: /],
    ['a header without a name', `GET / HTTP/1.1\r\n${host}a b: c\r\n\r\n`, 400, 'invalid_request', /Invalid header token/],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'invalid_request', /^Host: is missing/],
    ['two hosts', `GET / HTTP/1.1\r\n${host}host: evil.example\r\n\r\n`, 400, 'invalid_request', /^Host: is there 2 times/],
    ['two lengths', `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`, 400, 'invalid_request', /Content-Length/],
    ['a broken chunk', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, 'invalid_request', /chunk size/],
    [
      'no media type',
      `${post}Connection: close\r\nContent-Type: \r\nContent-Length: 2\r\n\r\n{}`,
      415,
      'unsupported_media_type',
      /""/,
    ],
    ['a method of nobody', `PROPFIND /healthz HTTP/1.1\r\n${host}\r\n`, 405, 'method_not_allowed', /possible: GET, HEAD/],
    ['a method of the future', `QUERY /healthz HTTP/1.1\r\n${host}\r\n`, 405, 'method_not_allowed', /possible: GET, HEAD/],
    ['an echo', `TRACE /api/v1/health HTTP/1.1\r\n${host}\r\n`, 405, 'method_not_allowed', /possible: GET, HEAD/],
  ])('to %s', async (_what, sent, status, code, detail) => {
    const amends = await runningServer();
    const answer = await exchange(amends.url, sent);
    expect(answer.status).toBe(status);
    expect(answer.head).toMatch(/\r\ncontent-type: application\/problem\+json/);
    expect(answer.head).toMatch(/\r\nconnection: close/);
    expect(JSON.parse(answer.body)).toMatchObject({ status, code, detail: expect.stringMatching(detail) });
    expect(await amends.gids()).toEqual([]);
  });

  it('to a request that is not complete in time', async () => {
    const app = createApp({
      host: '127.0.0.1',
      tls: null,
      bodyBytesMax: 1_024,
      metrics: createMetrics('1'),
      fallback: makeFallback(silentLog),
      faces: [],
    });
    const client = connect(Number(new URL(await app.listen({ port: 0 })).port), '127.0.0.1');
    const [connection] = (await once(app.server, 'connection')) as [Socket];
    // As Node says it when a minute is over.
    app.server.emit('clientError', Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), connection);
    const { status, head, body } = await answerOn(client);
    expect([status, JSON.parse(body)]).toMatchObject([
      408,
      { code: 'request_timeout', detail: expect.stringMatching(/60000 ms/) },
    ]);
    expect(head).toMatch(/\r\nretry-after: 1\r\n/);
    await app.close();
  });
});

it('a client that asks whether to go on is told to', async () => {
  const amends = await runningServer();
  const body = JSON.stringify({ gid: 'g', mode: 'saga', steps: [{ action: '' }] });
  const head = `${post}Expect: 100-continue\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  expect(await exchange(amends.url, head + body)).toMatchObject({ status: 100, body: expect.stringMatching(/^HTTP\/1.1 201 /) });
});

it('a refusal on DTM’s routes has the form of DTM', async () => {
  const amends = await runningServer();
  const { status, body } = await exchange(amends.url, `GET /api/dtmsvr/newGid HTTP/1.1\r\n${host}Expect: magic\r\n\r\n`);
  expect([status, JSON.parse(body)]).toEqual([417, { message: 'Expect: is "magic"; leave it out, or send 100-continue' }]);
});
