/** What was done by hand can be read, page by page, also when its transaction is gone. */
import { openMemoryStore } from '@amends/store';
import { gidOf, sampleAudit } from '@amends/store/contract';
import { expect, it } from 'vitest';
import { runningServer } from '../../testing/running-server.ts';

/** A server with `count` audit rows, about two transactions in turns that are not there any more. */
async function served(count: number) {
  const store = openMemoryStore();
  const audit = Array.from({ length: count }, (_, n) =>
    sampleAudit(gidOf(n % 2 === 0 ? 'even' : 'odd'), { verb: `act-${n + 1}`, detail: JSON.stringify({ n }) }),
  );
  await store.commit([{ row: null, documents: [], audit }]);
  return runningServer({}, { store });
}

const verbs = (body: { entries: { verb: string }[] }) => body.entries.map(({ verb }) => verb);

it('is read newest first, page by page', async () => {
  const amends = await served(5);
  const first = await amends.get('/api/v1/audit?limit=2');
  expect(verbs(first.body)).toEqual(['act-5', 'act-4']);
  const second = await amends.get(`/api/v1/audit?limit=2&cursor=${first.body.next}`);
  expect(verbs(second.body)).toEqual(['act-3', 'act-2']);
  const last = await amends.get(`/api/v1/audit?limit=2&cursor=${second.body.next}`);
  expect(verbs(last.body)).toEqual(['act-1']);
  expect(last.body.next).toBeNull();
  const whole = await amends.get('/api/v1/audit?limit=5');
  expect(whole.body.next).toBeNull();
});

it('is read of one transaction, with everything that is known', async () => {
  const amends = await served(3);
  const { status, body } = await amends.get('/api/v1/audit?gid=odd');
  expect(status).toBe(200);
  expect(body).toEqual({
    entries: [
      {
        id: 2,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        gid: 'odd',
        actor: expect.any(String),
        verb: 'act-2',
        reason: expect.any(String),
        detail: { n: 1 },
      },
    ],
    next: null,
  });
});

it('tells of what is about no transaction', async () => {
  const amends = await runningServer();
  await amends.ask('PUT', '/api/v1/topics/t/subscriptions', { url: 'http://127.0.0.1:1/a' }, { 'x-amends-actor': 'ann' });
  const { body } = await amends.get('/api/v1/audit');
  expect(body.entries).toEqual([
    expect.objectContaining({ gid: null, actor: 'ann', verb: 'subscribe', detail: expect.objectContaining({ topic: 't' }) }),
  ]);
});

it.each([
  ['limit=0', 'query.limit'],
  ['limit=1001', 'query.limit'],
  ['cursor=abc', 'query.cursor'],
  [`cursor=${Buffer.from('1:a').toString('base64url')}`, 'query.cursor'],
  ['gid=', 'query.gid'],
  ['before=1', 'before'],
])('refuses %s', async (query, field) => {
  const amends = await runningServer();
  const { status, body } = await amends.get(`/api/v1/audit?${query}`);
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain(field);
});
