import type { AddressInfo, Server } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bank, openBank } from '../../tests/bank.ts';
import { barrier } from '../barriers/sqlite/sqlite.ts';
import type { Call } from './call.ts';
import { participant as inExpress } from './express.ts';
import { participant as inFastify } from './fastify.ts';
import { participant as inHono } from './hono.ts';
import { BusinessFailure, type Handler, Ongoing } from './verdict.ts';

type Routes = Readonly<Record<string, Handler>>;
interface App {
  readonly url: string;
  close(): unknown;
}

const errors: unknown[] = [];
const onError = (error: unknown) => errors.push(error);

const frameworks: readonly [string, (routes: Routes) => Promise<App>][] = [
  [
    'Fastify',
    async (routes) => {
      const app = Fastify();
      for (const [path, handler] of Object.entries(routes)) app.all(path, inFastify(handler, { onError }));
      return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() };
    },
  ],
  [
    'Express',
    async (routes) => {
      const app = express();
      for (const [path, handler] of Object.entries(routes)) app.all(path, express.json(), inExpress(handler, { onError }));
      const server = app.listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      return { url: urlOf(server), close: () => closed(server) };
    },
  ],
  [
    'Hono',
    async (routes) => {
      const app = new Hono();
      for (const [path, handler] of Object.entries(routes)) app.all(path, inHono(handler, { onError }));
      const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }) as Server;
      await new Promise((resolve) => server.once('listening', resolve));
      return { url: urlOf(server), close: () => closed(server) };
    },
  ],
];

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closed(server: Server): Promise<unknown> {
  if ('closeAllConnections' in server) (server.closeAllConnections as () => void)();
  return new Promise((resolve) => server.close(resolve));
}

const parameters = 'branch_id=01&gid=g%201&op=action&trans_type=saga';

describe.each(frameworks)('a participant in %s', (_name, start) => {
  let bank: Bank;
  let app: App;
  let seen: Call | null = null;

  beforeEach(async () => {
    bank = openBank();
    errors.length = 0;
    app = await start({
      '/debit': (call) => barrier(bank.db, call, () => ({ left: bank.move('ann', -(call.body as { cents: number }).cents) })),
      '/crash': (call) =>
        barrier(bank.db, call, () => {
          bank.move('ann', -1);
          throw new Error('power cut before a FAILURE');
        }),
      '/refuse': (call) =>
        barrier(bank.db, call, () => {
          bank.move('ann', -1);
          throw new BusinessFailure('ann is blocked: ONGOING case');
        }),
      '/half': (call) =>
        barrier(bank.db, call, () => {
          bank.db.exec('COMMIT');
        }),
      '/later': () => {
        throw new Ongoing('not paid yet');
      },
      '/echo': async (call) => {
        seen = call;
        return { note: 'no FAILURE, nothing ONGOING' };
      },
    });
  });
  afterEach(async () => {
    await app.close();
    bank.close();
  });

  async function call(path: string, { query = parameters, body = { cents: 30 } as unknown, headers = {} } = {}) {
    const answer = await fetch(`${app.url}${path}?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    const [type, attention] = ['content-type', 'amends-attention'].map((name) => answer.headers.get(name));
    return { status: answer.status, text, json: JSON.parse(text) as unknown, type, attention };
  }

  it('answers 200 with what the handler returns, the same each time, and with success when there is nothing to undo', async () => {
    for (let i = 0; i < 2; i++)
      expect(await call('/debit')).toMatchObject({
        status: 200,
        json: { left: 70 },
        type: expect.stringContaining('application/json'),
      });
    expect(bank.cents('ann')).toBe(70);
    const nothing = await call('/debit', { query: parameters.replace('action', 'compensate').replace('01', '02') });
    expect(nothing).toMatchObject({ status: 200, json: { dtm_result: 'SUCCESS' } });
  });

  it('says that a human has to look', async () => {
    expect(await call('/half')).toMatchObject({ status: 500, attention: null });
    expect(await call('/debit')).toMatchObject({ status: 500, attention: 'needed', type: expect.stringContaining('json') });
  });

  it('hears whether its answer is wanted', async () => {
    await call('/echo', { headers: { 'amends-answer': 'wanted' } });
    expect(seen).toMatchObject({ answerWanted: true });
  });

  it.each(['gid=g%201%20', 'gid=%09g', 'branch_id=01%0A', 'op=action%C2%A0'])(
    'refuses %s: white space at an end',
    async (odd) => {
      expect(await call('/debit', { query: `${parameters}&${odd}` })).toMatchObject({ status: 400 });
      expect(bank.cents('ann')).toBe(100);
    },
  );

  it('gives the handler what the coordinator sends along', async () => {
    await call('/echo', { query: `gid=mine&${parameters}`, headers: { 'amends-epoch': '3', 'amends-attempt': '2' } });
    expect(seen).toEqual({
      gid: 'g 1',
      transType: 'saga',
      branchId: '01',
      op: 'action',
      body: { cents: 30 },
      epoch: 3,
      attempt: 2,
    });
  });

  it('takes calls of coordinators without epoch and attempt, and without a body', async () => {
    await fetch(`${app.url}/echo?${parameters}`);
    expect(seen).toMatchObject({ gid: 'g 1' });
    expect(seen).not.toHaveProperty('epoch');
  });

  it('never says FAILURE or ONGOING by accident', async () => {
    const { text, json } = await call('/echo');
    expect(json).toEqual({ note: 'no FAILURE, nothing ONGOING' });
    expect(text).not.toMatch(/FAILURE|ONGOING/);
  });

  it('answers a refusal with 409 and the word of DTM, and undoes what came before it', async () => {
    const { status, text, json } = await call('/refuse');
    expect({ status, json }).toEqual({
      status: 409,
      json: { dtm_result: 'FAILURE', message: 'ann is blocked: ONGOING case' },
    });
    expect(text).not.toContain('ONGOING');
    expect([bank.cents('ann'), bank.barrierRows()]).toEqual([100, []]);
  });

  it('answers 425 while there is no verdict', async () => {
    expect(await call('/later')).toMatchObject({ status: 425, json: { dtm_result: 'ONGOING', message: 'not paid yet' } });
  });

  it('leaves neither change nor barrier row when the handler dies after its change, and says 500 without a verdict', async () => {
    const { status, text, json } = await call('/crash');
    expect({ status, json }).toEqual({ status: 500, json: { message: 'power cut before a FAILURE' } });
    expect(text).not.toContain('FAILURE');
    expect([bank.cents('ann'), bank.barrierRows()]).toEqual([100, []]);
    expect(errors).toEqual([expect.objectContaining({ message: 'power cut before a FAILURE' })]);
  });

  it.each([
    ['gid', 'branch_id=01&op=action&trans_type=saga'],
    ['branch_id', 'gid=g1&branch_id=&op=action&trans_type=saga'],
    ['op', 'gid=g1&branch_id=01&trans_type=saga'],
    ['trans_type', 'gid=g1&branch_id=01&op=action'],
    ['gid', `gid=${'g'.repeat(129)}&branch_id=01&op=action&trans_type=saga`],
  ])('answers 400 naming %s when it is missing or too long', async (name, query) => {
    expect(await call('/debit', { query })).toMatchObject({ status: 400, json: { message: expect.stringContaining(name) } });
    expect(bank.cents('ann')).toBe(100);
  });

  it('does not run on a body that is no JSON', async () => {
    const answer = await fetch(`${app.url}/debit?${parameters}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(answer.status).toBe(400);
    expect(bank.cents('ann')).toBe(100);
  });
});

it('says what is missing when Express has not parsed the body', async () => {
  const app = express();
  app.post(
    '/echo',
    inExpress(() => 1, { onError }),
  );
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const answer = await fetch(`${urlOf(server)}/echo?${parameters}`, { method: 'POST', body: '{}' });
  expect([answer.status, await answer.json()]).toEqual([500, { message: expect.stringContaining('express.json()') }]);
  await closed(server);
});
