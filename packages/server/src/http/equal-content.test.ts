/** The same asked for again is the same, whatever the order of the keys of its JSON. */
import { describe, expect, it } from 'vitest';
import { participant } from '../testing/participant.ts';
import { runningServer } from '../testing/running-server.ts';

const transactions = '/api/v1/transactions';

/** One value, with the keys of all its objects in the opposite order. */
function turned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(turned);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, part]) => [key, turned(part)]),
  );
}

const content = { account: 'ann', cents: 3000, lines: [{ a: 1, b: 2 }] };
const other = { ...content, cents: 3001 };

describe('natively', () => {
  it('a saga that is submitted again is the same, and with other content it is not', async () => {
    const bank = await participant();
    const amends = await runningServer();
    const saga = (payload: object) => ({
      gid: 'g',
      mode: 'saga',
      headers: { 'X-A': '1', 'X-B': '2' },
      steps: [{ name: 'first', keepAnswer: true, action: `${bank.url}/a`, payload }],
    });
    const referring = { ...saga(content), gid: 'r' };
    const steps = [
      ...referring.steps,
      { action: `${bank.url}/b`, payload: { x: 1, id: { $from: 'first', path: '$.message' }, y: [{ p: 1, q: 2 }] } },
    ];
    expect((await amends.post(transactions, saga(content))).status).toBe(201);
    expect((await amends.post(transactions, turned(saga(content)))).status).toBe(200);
    expect((await amends.post(transactions, saga(other))).status).toBe(409);
    await amends.end('g');
    expect((await amends.post(transactions, turned(saga(content)))).status).toBe(200);
    expect((await amends.post(transactions, { ...referring, steps })).status).toBe(201);
    expect((await amends.post(transactions, turned({ ...referring, steps }))).status).toBe(200);
    await amends.end('r');
    expect(bank.calls).toEqual(['action /a', 'action /a', 'action /b']);
  });

  it('a message that is prepared, and a message to a topic, is the same', async () => {
    const bank = await participant();
    const amends = await runningServer();
    const message = { gid: 'm', mode: 'msg', prepare: true, queryUrl: bank.url, steps: [{ action: bank.url, payload: content }] };
    expect((await amends.post(transactions, message)).status).toBe(201);
    expect((await amends.post(transactions, turned(message))).status).toBe(200);
    await amends.ask('PUT', '/api/v1/topics/news/subscriptions', { url: `${bank.url}/news` });
    const news = { gid: 't', mode: 'msg', steps: [{ action: 'topic://news', payload: content }] };
    expect((await amends.post(transactions, news)).status).toBe(201);
    expect((await amends.post(transactions, turned(news))).status).toBe(200);
    expect((await amends.post(transactions, { ...news, steps: [{ action: 'topic://news', payload: other }] })).status).toBe(409);
  });

  it('a branch, a step of a workflow and a conclusion are the same', async () => {
    const amends = await runningServer();
    await amends.post(transactions, { gid: 't', mode: 'tcc' });
    const branch = {
      mode: 'tcc',
      branchId: '01',
      confirm: 'http://127.0.0.1:9/a',
      cancel: 'http://127.0.0.1:9/b',
      payload: content,
    };
    await amends.post(transactions, { gid: 'w', mode: 'workflow', name: 'order', input: content });
    expect((await amends.post(transactions, turned({ gid: 'w', mode: 'workflow', name: 'order', input: content }))).status).toBe(
      200,
    );
    const step = { mode: 'workflow', branchId: '01', op: 'action', status: 'succeed', result: content };
    const conclusion = { status: 'succeed', result: content };
    for (const [path, body, changed] of [
      ['t/branches', branch, { ...branch, payload: other }],
      ['w/branches', step, { ...step, result: other }],
      ['w/conclude', conclusion, { ...conclusion, result: other }],
    ] as const) {
      expect((await amends.post(`${transactions}/${path}`, body)).status).toBeLessThan(300);
      expect((await amends.post(`${transactions}/${path}`, turned(body))).status).toBe(200);
      expect((await amends.post(`${transactions}/${path}`, changed)).status).toBe(409);
    }
  });
});

describe("by DTM's routes", () => {
  it('a saga that is submitted again is the same, whatever the order of keys and the white space of its payloads', async () => {
    const bank = await participant();
    const amends = await runningServer();
    const saga = (payload: string) => ({
      gid: 'g',
      trans_type: 'saga',
      steps: [{ action: `${bank.url}/a` }],
      payloads: [payload],
    });
    expect((await amends.post('/api/dtmsvr/submit', saga(JSON.stringify(content)))).status).toBe(200);
    await amends.end('g');
    expect((await amends.post('/api/dtmsvr/submit', saga(JSON.stringify(turned(content), null, 2)))).status).toBe(200);
    expect((await amends.post('/api/dtmsvr/submit', saga(JSON.stringify(other)))).status).toBe(409);
    expect(bank.calls).toEqual(['action /a']);
  });

  it('a branch that is registered again is the same', async () => {
    const amends = await runningServer();
    await amends.post('/api/dtmsvr/prepare', { gid: 't', trans_type: 'tcc' });
    const url = 'http://127.0.0.1:9/a';
    const branch = (data: object) => ({
      gid: 't',
      trans_type: 'tcc',
      branch_id: '01',
      confirm: url,
      cancel: url,
      data: JSON.stringify(data),
    });
    for (const [data, status] of [
      [content, 200],
      [turned(content) as object, 200],
      [other, 409],
    ] as const)
      expect((await amends.post('/api/dtmsvr/registerBranch', branch(data))).status).toBe(status);
  });
});
