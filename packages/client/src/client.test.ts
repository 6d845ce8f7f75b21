/** Against a real server in memory and real participants. */
import type { Server } from '@amends/server';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen } from '../tests/listen.ts';
import { startNativeServer } from '../tests/native-server.ts';
import { AmendsClient } from './client.ts';
import type { Saga } from './modes/saga.ts';
import { participant } from './participants/fastify.ts';
import { BusinessFailure, type Handler, Ongoing } from './participants/verdict.ts';

let server: Server;
let client: AmendsClient;
let shop: string;
const calls = new Map<string, string[]>();
let later: Handler = () => 'done';

/** What has been called for a transaction: `op branch`. */
function callsOf(gid: string): readonly string[] {
  return calls.get(gid) ?? [];
}

const app = Fastify();
const noted =
  (handler: Handler): Handler =>
  (call) => {
    calls.set(call.gid, [...callsOf(call.gid), `${call.op} ${call.branchId}`]);
    return handler(call);
  };
app.post('/ok', participant(noted(() => 'done')));
app.post('/undo', participant(noted(() => 'undone')));
app.post('/later', participant(noted((call) => later(call))));
app.post(
  '/refuse',
  participant(
    noted(() => {
      throw new BusinessFailure('sold out');
    }),
  ),
);
app.post(
  '/broken',
  participant(
    noted(() => {
      throw new Error('no database');
    }),
    { onError: () => {} },
  ),
);

beforeAll(async () => {
  server = await startNativeServer();
  client = new AmendsClient({ server: server.url, actor: 'ines' });
  shop = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await client.close();
  await server.stop();
  await app.close();
});

const often = { kind: 'fixed', delayMs: 20 } as const;
const ok = () => ({ action: `${shop}/ok`, compensate: `${shop}/undo` });
const stuck = () => client.saga().step({ ...ok(), action: `${shop}/broken`, retry: { ...often, attemptsMax: 2, atEnd: 'hold' } });

/** A saga that asks until it is told. */
function asking(): Saga {
  later = () => {
    throw new Ongoing('ask again');
  };
  return client.saga().step({ action: `${shop}/later`, compensate: `${shop}/undo`, retry: often });
}

describe('a saga', () => {
  it('succeeds', async () => {
    const transaction = await client
      .saga()
      .step(ok())
      .step({ kind: 'pivot', action: `${shop}/ok` })
      .submit({ waitMs: 5_000 });
    expect(transaction).toMatchObject({ outcome: 'succeeded', gid: expect.stringMatching(/^\w{22}$/), reason: '' });
    expect(callsOf(transaction.gid)).toEqual(['action 01', 'action 02']);
  });

  it('fails as a whole when a step is refused, and says why', async () => {
    const transaction = await client
      .saga()
      .step(ok())
      .step({ ...ok(), action: `${shop}/refuse` })
      .submit({ waitMs: 5_000 });
    expect(transaction.outcome).toBe('failed');
    if (transaction.outcome === 'failed') expect(transaction.reason).toContain('sold out');
    expect(callsOf(transaction.gid)).toContain('compensate 01');
  });

  it('belongs to a trace, and has an alarm or none', async () => {
    const traceparent = `00-${'a'.repeat(32)}-00f067aa0ba902b7-01`;
    const saga = client.saga({ alarmAfterMs: 1 }).step({ ...ok(), action: `${shop}/broken`, retry: { delayMs: 60_000 } });
    const { gid } = await saga.submit({ traceparent });
    let rows = await client.history(gid);
    while (!rows.some(({ kind }) => kind === 'overdue')) rows = await client.history(gid);
    expect(rows[0]).toMatchObject({ kind: 'submitted', traceId: 'a'.repeat(32) });
    expect((await client.get(gid)).overdueSince).not.toBeNull();
    const never = await client.saga({ alarmAfterMs: null }).step(ok()).submit({ waitMs: 5_000 });
    expect(never).toMatchObject({ outcome: 'succeeded', overdueSince: null });
  });

  it('is answered while it runs, without waiting', async () => {
    const { gid, outcome } = await asking().submit();
    expect(outcome).toBe('running');
    later = () => 'done';
    expect(await client.wait(gid)).toMatchObject({ outcome: 'succeeded' });
  });

  it('is waited for through the pauses between attempts, no longer than asked', async () => {
    const { gid, outcome } = await asking().submit({ waitMs: 300 });
    expect(outcome).toBe('running');
    expect(callsOf(gid).length).toBeGreaterThan(1);
    await client.terminate(gid, { reason: 'the test is over' });
  });

  it('begins once under one gid', async () => {
    const saga = client.saga().step(ok());
    const [one, other] = await Promise.all([
      saga.submit({ gid: 'order-1', waitMs: 5_000 }),
      saga.submit({ gid: 'order-1', waitMs: 5_000 }),
    ]);
    expect([one.outcome, other.outcome]).toEqual(['succeeded', 'succeeded']);
    expect(callsOf('order-1')).toEqual(['action 01']);
    await expect(client.saga().step(ok()).step(ok()).submit({ gid: 'order-1' })).rejects.toMatchObject({
      name: 'AmendsClientError',
      code: 'conflict',
      status: 409,
      gid: 'order-1',
    });
  });

  it('is refused with the fields that are wrong', async () => {
    const saga = client.saga({ timeoutMs: 0.5 }).step({ ...ok(), action: 'somewhere' });
    await expect(saga.submit()).rejects.toMatchObject({
      code: 'invalid_request',
      status: 400,
      errors: expect.arrayContaining([expect.objectContaining({ field: 'timeoutMs' })]),
    });
  });

  it('ends the wait when it is put on hold', async () => {
    const transaction = await stuck().submit({ waitMs: 10_000 });
    expect(transaction).toMatchObject({ outcome: 'running', hold: { branchId: '01', op: 'action' } });
    await client.terminate(transaction.gid, { reason: 'the test is over' });
  });
});

describe('interventions', () => {
  it('retry what is held, recorded with actor and reason', async () => {
    const { gid, version } = await stuck().submit({ waitMs: 10_000 });
    await client.retry(gid, { reason: 'the database is back', expectedVersion: version });
    await client.wait(gid, { waitMs: 10_000 });
    expect(callsOf(gid)).toHaveLength(4);
    expect(await client.history(gid)).toContainEqual(
      expect.objectContaining({ kind: 'retried', actor: 'ines', detail: 'the database is back' }),
    );
    await client.terminate(gid, { reason: 'given up', actor: 'jon' });
    expect(await client.get(gid)).toMatchObject({ outcome: 'failed', decision: { direction: 'terminate', actor: 'jon' } });
  });

  it('are refused when the transaction has moved on, or has ended', async () => {
    const { gid } = await client.saga().step(ok()).submit({ waitMs: 5_000 });
    await expect(client.terminate(gid, { reason: 'late' })).rejects.toMatchObject({ code: 'already_finished', gid });
    const held = await stuck().submit({ waitMs: 10_000 });
    const stale = client.terminate(held.gid, { reason: 'late', expectedVersion: held.version + 1 });
    await expect(stale).rejects.toMatchObject({ code: 'version_conflict', status: 409 });
    await client.terminate(held.gid, { reason: 'the test is over' });
  });
});

describe('reading', () => {
  it('says that a transaction does not exist', async () => {
    await expect(client.get('nobody/knows?me')).rejects.toMatchObject({ code: 'not_found', status: 404, gid: 'nobody/knows?me' });
    await expect(client.wait('nobody', { waitMs: 1_000 })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('gives history from the beginning or from a row on', async () => {
    const { gid } = await client.saga().step(ok()).submit({ waitMs: 5_000 });
    const all = await client.history(gid);
    expect(all.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['submitted', 'answered']));
    expect(await client.history(gid, { afterSeq: all[0]!.seq })).toEqual(all.slice(1));
  });

  it('lists a page, and all pages', async () => {
    for (const gid of ['a-1', 'a-2', 'a-3']) await client.saga().step(ok()).submit({ gid, waitMs: 5_000 });
    const page = await client.list({ status: 'succeed', limit: 2 });
    expect(page.transactions.map(({ gid }) => gid)).toEqual(['a-3', 'a-2']);
    const all: string[] = [];
    for await (const { gid } of client.listAll({ status: 'succeed', limit: 2 })) all.push(gid);
    expect(all.slice(0, 3)).toEqual(['a-3', 'a-2', 'a-1']);
    expect(new Set(all).size).toBe(all.length);
    expect((await client.list({ held: true })).transactions).toEqual([]);
  });

  it('gives health and limits', async () => {
    expect(await client.health()).toMatchObject({ state: 'running' });
    expect(await client.limits()).toMatchObject({ branchesMax: 1_000 });
  });
});

it('reads a history that is longer than a page', async () => {
  const entries = Array.from({ length: 1_500 }, (_, index) => ({ seq: index + 1 }));
  const long = await listen((request, response) => {
    const query = new URL(request.url!, 'http://x').searchParams;
    const after = Number(query.get('afterSeq'));
    response.end(JSON.stringify({ entries: entries.slice(after, after + Number(query.get('limit'))) }));
  });
  const reader = new AmendsClient({ server: long.url });
  expect(await reader.history('long')).toEqual(entries);
  await reader.close();
  await long.close();
});
