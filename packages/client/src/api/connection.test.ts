/** What the client does when the way to the server is bad. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Server } from '@amends/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listening, listen } from '../../tests/listen.ts';
import { startNativeServer } from '../../tests/native-server.ts';
import { AmendsClient, type AmendsClientOptions } from '../client.ts';

type Act = (request: IncomingMessage, response: ServerResponse, body: string) => void | Promise<void>;

let open: { close(): Promise<void> }[] = [];
beforeEach(() => {
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((each) => each.close()));
});

function clientOf(server: string, options: Partial<AmendsClientOptions> = {}): AmendsClient {
  const client = new AmendsClient({ server, retry: { delayMs: 5, delayMsMax: 20, limitMs: 5_000 }, ...options });
  open.push(client);
  return client;
}

/** A server that acts as told, request by request; the last act is repeated. */
async function acting(...acts: readonly Act[]): Promise<Listening & { readonly requests: string[] }> {
  const requests: string[] = [];
  const listening = await listen(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    requests.push(`${request.method} ${request.url} ${body}`);
    await acts[Math.min(requests.length, acts.length) - 1]!(request, response, body);
  });
  open.push(listening);
  return { ...listening, requests };
}

const running: Act = (_request, response) => void response.end(JSON.stringify({ gid: 'g', outcome: 'running', hold: null }));
const problem =
  (status: number, code: string, headers: Record<string, string> = {}, more: object = {}): Act =>
  (_request, response) =>
    void response
      .writeHead(status, headers)
      .end(JSON.stringify({ type: `urn:amends:error:${code}`, code, title: 'no', status, detail: `it is ${code}`, ...more }));
const cut: Act = (_request, response) => void response.destroy();
const silent: Act = () => {};

const step = { action: 'http://127.0.0.1:9/do', irreversible: true } as const;

it.each(['issues', 'errors'])('tells the fields that a server names as %s', async (name) => {
  const fields = [{ field: 'gid', message: 'is too long' }];
  const server = await acting(problem(400, 'invalid_request', {}, { [name]: fields }));
  await expect(clientOf(server.url).get('g')).rejects.toMatchObject({ errors: fields });
});

describe('a request', () => {
  it('is repeated when there is no room, after the pause that the server asks for', async () => {
    const server = await acting(problem(503, 'overloaded', { 'retry-after': '1' }), running);
    const startedAt = performance.now();
    await clientOf(server.url).get('g');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    expect(server.requests).toHaveLength(2);
  });

  it('is repeated when it did not come to the server in time', async () => {
    const server = await acting(problem(408, 'request_timeout', { 'retry-after': '0' }), running);
    await clientOf(server.url).get('g');
    expect(server.requests).toHaveLength(2);
  });

  it('is given up at once when that pause is longer than the patience', async () => {
    const server = await acting(problem(503, 'overloaded', { 'retry-after': '60' }));
    await expect(clientOf(server.url).get('g')).rejects.toMatchObject({
      code: 'overloaded',
      status: 503,
      message: 'it is overloaded',
      retryAfterMs: 60_000,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('is repeated until the server is up', async () => {
    const { url, close } = await listen(() => {});
    await close();
    const answer = clientOf(url).get('g');
    const server = await listen((_request, response) => response.end('{"gid":"g"}'), Number(new URL(url).port));
    open.push(server);
    expect(await answer).toEqual({ gid: 'g' });
  });

  it('is given up when the server cannot be reached for too long, with the cause', async () => {
    const { url, close } = await listen(() => {});
    await close();
    await expect(clientOf(url, { retry: { limitMs: 0 } }).get('g')).rejects.toMatchObject({
      code: 'unreachable',
      status: null,
      message: expect.stringContaining('ECONNREFUSED'),
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    });
  });

  it.each([
    ['the connection breaks', cut],
    [
      'a proxy has no answer',
      (_request: unknown, response: ServerResponse) => void response.writeHead(502).end('{"code":"BAD"}'),
    ],
    ['nobody answers in time', silent],
  ])('is repeated when %s', async (_what, act) => {
    const server = await acting(act, running);
    expect(await clientOf(server.url, { requestTimeoutMs: 200 }).get('g')).toMatchObject({ gid: 'g' });
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['a refusal', problem(400, 'invalid_request'), { code: 'invalid_request', status: 400 }],
    ['a bug', problem(500, 'internal'), { code: 'internal', status: 500 }],
    [
      'a page that is not from Amends',
      (_q: unknown, r: ServerResponse) => void r.end('<html>'),
      { code: 'unexpected_answer', status: 200 },
    ],
    [
      'a wrong address',
      (_q: unknown, r: ServerResponse) => void r.writeHead(404).end('no'),
      { code: 'unexpected_answer', status: 404 },
    ],
  ])('is not repeated after %s', async (_what, act, error) => {
    const server = await acting(act as Act);
    await expect(clientOf(server.url).get('g')).rejects.toMatchObject(error);
    expect(server.requests).toHaveLength(1);
  });

  it('reads answers that a gateway has encoded, and says of those that it cannot read what they are', async () => {
    const encoded = (encoding: string): Act => {
      return (_request, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(gzipSync('{"gid":"g"}'));
    };
    const { url } = await acting(encoded('gzip'), encoded('rot13'));
    expect(await clientOf(url).get('g')).toEqual({ gid: 'g' });
    await expect(clientOf(url).get('g')).rejects.toMatchObject({
      code: 'unexpected_answer',
      status: 200,
      message: expect.stringContaining('rot13'),
    });
  });

  it('is not repeated when the server cannot show who it is', async () => {
    const server = await acting(running);
    const answer = clientOf(server.url.replace('http:', 'https:')).get('g');
    await expect(answer).rejects.toMatchObject({ code: 'tls_failed', cause: expect.any(Error) });
    expect(server.requests).toEqual([]);
  });

  it('ends when the caller gives up, while it is under way or in a pause', async () => {
    for (const act of [silent, problem(503, 'stopping', { 'retry-after': '3' })]) {
      const server = await acting(act);
      const stop = new AbortController();
      const submitted = clientOf(server.url).saga().step(step).submit({ gid: 'mine', signal: stop.signal });
      setTimeout(() => stop.abort(new Error('the user went home')), 50);
      await expect(submitted).rejects.toMatchObject({
        code: 'aborted',
        gid: 'mine',
        cause: expect.objectContaining({ message: 'the user went home' }),
      });
    }
  });

  it('fails when the client is closed', async () => {
    const server = await acting(silent);
    const client = clientOf(server.url);
    const answer = client.get('g');
    const expected = expect(answer).rejects.toMatchObject({ code: 'closed' });
    await expect.poll(() => server.requests.length).toBe(1);
    await client.close();
    await client.close();
    await expected;
    await expect(client.get('g')).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('an intervention', () => {
  it('is not repeated when its answer is lost, because it may have been done', async () => {
    const server = await acting(cut, running);
    await expect(clientOf(server.url).terminate('g', { reason: 'r' })).rejects.toMatchObject({
      code: 'connection_lost',
      gid: 'g',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('is repeated when it was certainly not done', async () => {
    const server = await acting(problem(503, 'stopping'), running);
    await clientOf(server.url).retry('g', { reason: 'r' });
    expect(server.requests).toHaveLength(2);
  });
});

describe('a submission whose answers are lost', () => {
  let amends: Server;
  beforeEach(async () => {
    amends = await startNativeServer();
    open.push({ close: () => amends.stop() });
  });

  it('begins one transaction', async () => {
    const forward: Act = async (request, response, body) => {
      const answer = await fetch(amends.url + request.url, {
        method: request.method!,
        ...(body === '' ? {} : { body, headers: { 'content-type': 'application/json' } }),
      });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! }).end(await answer.text());
    };
    const lose: Act = async (request, response, body) => {
      await fetch(amends.url + request.url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      response.destroy();
    };
    const way = await acting(lose, lose, forward);
    const { gid } = await clientOf(way.url).saga().step(step).submit();
    const { transactions } = await clientOf(amends.url).list();
    expect(transactions.map((each) => each.gid)).toEqual([gid]);
    expect(new Set(way.requests).size).toBe(1);
  });
});

describe('the address of the server', () => {
  it.each(['localhost:36789', 'ftp://amends', 'http://user:secret@amends', 'http://amends/?a=1', ''])(
    'is refused: %j',
    (server) => {
      expect(() => new AmendsClient({ server })).toThrow(
        expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('server') }),
      );
    },
  );

  it('may have a path, for servers behind a gateway', async () => {
    const server = await acting(running);
    await clientOf(`${server.url}/amends/`).get('g');
    expect(server.requests).toEqual(['GET /amends/api/v1/transactions/g?waitMs=0 ']);
  });
});
