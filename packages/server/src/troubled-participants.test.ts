/** Participants that are away, endless, silent or sly: each leaves a transaction that waits durably, and harms no other. */
import type { ServerResponse } from 'node:http';
import type { TransactionBody } from '@amends/wire/native';
import { describe, expect, it } from 'vitest';
import { deadAddress, participant } from './testing/participant.ts';
import { type Answer, type RunningServer, runningServer } from './testing/running-server.ts';
import { scratchFolder } from './testing/scratch.ts';

/** Long enough that nothing is tried again while a test looks. */
const slowly = { retry: { delayMs: 600_000, delayMsMax: 600_000 }, compensateRetry: { delayMs: 600_000, delayMsMax: 600_000 } };
const mebibyte = Buffer.alloc(1_048_576, 'x');

/** Writes as much as the caller takes, for ever or so many MiB. */
function pour(response: ServerResponse, mebibytes = Number.POSITIVE_INFINITY): void {
  let left = mebibytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(mebibyte)) return;
    }
    response.end();
  };
  response.on('drain', more);
  response.writeHead(200);
  more();
}

/** How a participant misbehaves: its answers, and the code that history shows. */
const troubles: readonly (readonly [what: string, answer: (response: ServerResponse) => void, code: string, detail: RegExp])[] = [
  ['answers 10 MB', (response) => pour(response, 10), 'answer_too_large', /larger than 65536 bytes/],
  ['answers without end', (response) => pour(response), 'answer_too_large', /larger than 65536 bytes/],
  [
    'says bytes now and then',
    (response) => void response.writeHead(200).write('{'),
    'timeout',
    /no complete answer within \d+ ms/,
  ],
  ['never answers', () => {}, 'timeout', /no complete answer within \d+ ms/],
  ['hangs up', (response) => void response.destroy(), 'connection_lost', /./],
  [
    'hangs up in the middle',
    (response) => void response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
    'connection_lost',
    /./,
  ],
  ['does not speak HTTP', (response) => void response.socket!.end('SSH-2.0-OpenSSH_9.9\r\n'), 'connection_lost', /./],
  ['fails', (response) => void response.writeHead(500).end('{"message":"out of order"}'), 'http_500', /out of order/],
  [
    'redirects to a metadata address',
    (response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    'http_302',
    /redirect to http:\/\/169\.254\.169\.254\/latest\/meta-data not followed/,
  ],
  [
    'answers with what a terminal or a page would obey',
    (response) => void response.writeHead(500).end('\u001b[2J<script>\u0000'),
    'http_500',
    /<script>/,
  ],
];

/** What history says of the first attempt. */
async function firstAnswer(amends: RunningServer, gid: string) {
  return (await amends.history(gid)).find(({ kind }) => kind === 'answered');
}

function expectWaiting(transaction: TransactionBody): void {
  expect(transaction).toMatchObject({ status: 'submitted', outcome: 'running', hold: null });
  expect(transaction.branches[0]!.calls[0]!).toMatchObject({ at: 'waiting', attempts: 1 });
  expect(Date.parse(transaction.branches[0]!.calls[0]!.dueAt!)).toBeGreaterThan(Date.parse(transaction.updatedAt));
}

type Begin = (amends: RunningServer, url: string, timeoutMs: number) => Promise<Answer>;

const natively: Begin = (amends, url, timeoutMs) =>
  amends.post('/api/v1/transactions', { gid: 'g1', mode: 'saga', steps: [{ action: url, timeoutMs, ...slowly }] });

const byDtm: Begin = (amends, url) => {
  const times = { retry_interval: 600, request_timeout: 0 };
  return amends.post('/api/dtmsvr/submit', {
    gid: 'g1',
    trans_type: 'saga',
    steps: [{ action: url }],
    payloads: ['{}'],
    ...times,
  });
};

describe.each([
  ['natively', natively],
  ['by DTM', byDtm],
] as const)('a transaction begun %s', (_face, begin) => {
  it.each(troubles)('waits when its participant %s', async (_what, answer, code, detail) => {
    const bank = await participant({ '/a': answer });
    const timeoutMs = code === 'timeout' ? 300 : 30_000;
    const amends = await runningServer({ requestTimeoutMs: String(timeoutMs) });
    expect((await begin(amends, `${bank.url}/a`, timeoutMs)).status).toBeLessThan(300);
    expectWaiting(await amends.rest('g1'));
    expect(await firstAnswer(amends, 'g1')).toMatchObject({ outcome: 'unknown', code, detail: expect.stringMatching(detail) });
    expect(bank.calls).toHaveLength(1);
  });

  it('waits when nobody is there, also after a restart', async () => {
    const store = `sqlite:${scratchFolder()}/amends.db`;
    const first = await runningServer({ store });
    await begin(first, await deadAddress(), 10_000);
    const waiting = await first.rest('g1');
    expectWaiting(waiting);
    expect(await firstAnswer(first, 'g1')).toMatchObject({ outcome: 'unknown', code: 'connect_refused' });
    await first.stop();
    const second = await runningServer({ store });
    expect((await second.rest('g1')).branches).toEqual(waiting.branches);
  });

  it.each([['a name that nobody has', 'http://nobody.invalid/a', 'name_unknown']])(
    'waits when it calls %s',
    async (_what, url, code) => {
      const amends = await runningServer({ requestTimeoutMs: '30000' });
      await begin(amends, url, 30_000);
      expectWaiting(await amends.rest('g1'));
      expect(await firstAnswer(amends, 'g1')).toMatchObject({ outcome: 'unknown', code });
    },
  );
});

/** More than all buffers between two processes hold: who has sent less was broken off by the other side. */
const buffersBytesMax = 32 * mebibyte.byteLength;

describe('answers of participants', () => {
  it('are not read to their end however much is sent', async () => {
    const cutOff: Promise<number>[] = [];
    const bank = await participant({
      '/a'(response) {
        const socket = response.socket!;
        cutOff.push(new Promise((resolve) => response.once('close', () => resolve(socket.bytesWritten))));
        pour(response);
      },
    });
    const amends = await runningServer();
    const steps = Array.from({ length: 50 }, () => ({ action: `${bank.url}/a`, ...slowly }));
    await amends.post('/api/v1/transactions', { gid: 'g1', mode: 'saga', concurrent: true, steps });
    await amends.rest('g1');
    const said = (await amends.history('g1')).filter(({ kind }) => kind === 'answered').map(({ code }) => code);
    expect(said).toEqual(new Array(50).fill('answer_too_large'));
    expect(cutOff).toHaveLength(50);
    for (const bytes of await Promise.all(cutOff)) expect(bytes).toBeLessThan(buffersBytesMax);
    for (const { detail } of await amends.history('g1')) expect(detail?.length ?? 0).toBeLessThan(2_000);
  });
});

describe('200 transactions that wait for one host', () => {
  it.each([
    ['that is down', async () => ({ url: await deadAddress(), calls: [] })],
    ['that never answers', () => participant({ '/a': () => {} })],
  ])('%s take no more calls than are its own, and others end meanwhile', async (_what, open) => {
    const host = await open();
    const bank = await participant();
    const amends = await runningServer({ perHostInFlightMax: '16' });
    const stuck = { mode: 'saga', steps: [{ action: `${host.url}/a`, timeoutMs: 600_000, ...slowly }] };
    const begun = await Promise.all(Array.from({ length: 200 }, () => amends.post('/api/v1/transactions', stuck)));
    expect(begun.every(({ status }) => status === 201)).toBe(true);
    const healthy = { mode: 'saga', steps: [{ action: `${bank.url}/a` }, { action: `${bank.url}/b` }] };
    const done = await Promise.all(Array.from({ length: 20 }, () => amends.post('/api/v1/transactions?waitMs=60000', healthy)));
    expect(done.map(({ body }) => body.status)).toEqual(new Array(20).fill('succeed'));
    const waiting = (await amends.get('/api/v1/transactions?status=submitted&limit=1000')).body.transactions;
    expect(waiting).toHaveLength(200);
    expect(host.calls.length).toBeLessThanOrEqual(16);
  });
});
