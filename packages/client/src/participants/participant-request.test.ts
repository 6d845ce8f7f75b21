import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../tests/listen.ts';
import { connectParticipants } from './participant-request.ts';

const branch = { gid: "g'1 ü", transType: 'tcc', branchId: '01', op: 'try' };

function calling() {
  const made = connectParticipants();
  onTestFinished(() => made.close());
  return made;
}

async function answering(status: number, headers: Record<string, string>, body: Buffer | string): Promise<string> {
  const { url, close } = await listen((_request, response) => response.writeHead(status, headers).end(body));
  onTestFinished(close);
  return url;
}

describe('the address of a call', () => {
  it.each([
    ['/x', '/x?'],
    ['/x?a=1%20+2&b&gid=mine', '/x?a=1%20+2&b&gid=mine&'],
    ["/x?q='%27;(", '/x?q=%27%27;(&'],
    ['/x?#there', '/x?'],
  ])('stands as it is, with the branch behind it: %s', async (path, before) => {
    let seen = '';
    const { url, close } = await listen((request, response) => {
      seen = request.url!;
      response.end();
    });
    onTestFinished(close);
    await calling().call(url + path, branch, { query: { dtm: 'http://a/b c' } });
    expect(seen).toBe(`${before}dtm=http%3A%2F%2Fa%2Fb%20c&branch_id=01&gid=g'1%20%C3%BC&op=try&trans_type=tcc`);
  });
});

it('headers beyond ASCII go out as the bytes of UTF-8', async () => {
  let seen = '';
  const { url, close } = await listen((request, response) => {
    seen = Buffer.from(String(request.headers['x-tenant']), 'latin1').toString();
    response.end();
  });
  onTestFinished(close);
  await calling().call(url, branch, { headers: { 'x-tenant': 'Zürich 上海' } });
  expect(seen).toBe('Zürich 上海');
});

describe('an encoded answer', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['ZSTD', zstdCompressSync],
    ['gzip, br', (text: string) => brotliCompressSync(gzipSync(text))],
  ] as const)('is read as what it says: %s', async (encoding, encode) => {
    const headers = { 'content-encoding': encoding };
    expect(await calling().call(await answering(200, headers, encode('{"id":1}')), branch)).toEqual({ id: 1 });
    const refusal = await answering(200, headers, encode('{"dtm_result":"FAILURE","message":"sold out"}'));
    await expect(calling().call(refusal, branch)).rejects.toMatchObject({ name: 'BusinessFailure', message: 'sold out' });
  });

  it.each([
    ['not known', 'rot13', '{}'],
    ['cut short', 'gzip', gzipSync('{"id":1}').subarray(0, -1)],
    ['larger than an application can want', 'gzip', gzipSync(Buffer.alloc(40_000_000))],
  ])('that is %s is no success; 409 and 425 stand by themselves', async (_what, encoding, body) => {
    const headers = { 'content-encoding': encoding };
    const call = async (status: number) => calling().call(await answering(status, headers, body), branch);
    await expect(call(200)).rejects.toMatchObject({ name: 'ParticipantError', status: 200 });
    await expect(call(409)).rejects.toMatchObject({ name: 'BusinessFailure' });
    await expect(call(425)).rejects.toMatchObject({ name: 'Ongoing' });
  });

  it('is not read on when it is larger than an application can want', async () => {
    const url = await answering(200, {}, Buffer.alloc(40_000_000));
    await expect(calling().call(url, branch)).rejects.toMatchObject({ name: 'ParticipantError', status: 200 });
  });
});

it('answers before the answer are passed over', async () => {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', () => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{"id":1}');
      });
    onTestFinished(() => void socket.destroy());
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await calling().call(`http://127.0.0.1:${port}`, branch)).toEqual({ id: 1 });
});
