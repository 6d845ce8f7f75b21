/** What cannot be read, or is not what was stored, is seen, decided by a human, and keeps nothing else from going on. */
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { participant } from './testing/participant.ts';
import { type RunningServer, runningServer } from './testing/running-server.ts';
import { scratchFolder } from './testing/scratch.ts';

const hurt = "(SELECT id FROM tx WHERE gid = 'hurt')";
const inSpec = (set: string) => `UPDATE spec SET ${set} WHERE tx_id = ${hurt}`;
const inRow = (set: string) => `UPDATE tx SET ${set} WHERE gid = 'hurt'`;

const damages: readonly (readonly [name: string, sql: string, reason: RegExp])[] = [
  ['its spec is gone', `DELETE FROM spec WHERE tx_id = ${hurt}`, /is missing or damaged/],
  ['its plan was altered', inSpec("plan = replace(plan, '/second', '/thief')"), /digest differs/],
  ['its plan is no JSON', inSpec("plan = 'x'"), /digest differs/],
  ['a payload was altered', inSpec("payloads = CAST(replace(CAST(payloads AS TEXT), '30', '90') AS BLOB)"), /digest differs/],
  ['a payload was cut short', inSpec("payloads = x'7b'"), /digest differs/],
  ['what is shown of its request is no JSON', inSpec("presentation = '{'"), /its plan: .*JSON/],
  ['what is shown of its request is nothing', inSpec("presentation = 'null'"), /its plan: .*shown of the request/],
  ['its state is no JSON', inRow("state = 'x'"), /its state: .*JSON/],
  ['its state is another shape', inRow("state = '[1,2]'"), /not what any version has written/],
  ['its state has lost a step', inRow("state = '[5,0,0,0,[0],0]'"), /does not fit its plan/],
  ['an answer that it kept was altered', `UPDATE record SET content = x'7b7d' WHERE tx_id = ${hurt}`, /missing or damaged/],
  [
    'an answer that it kept has an unknown kind',
    `UPDATE record SET kind = 'riddle', digest = NULL WHERE tx_id = ${hurt}`,
    /its records: .*riddle/,
  ],
];

const quickly = { kind: 'fixed', delayMs: 50, delayMsMax: 50 };

function saga(gid: string, url: string): object {
  const first = { name: 'first', action: `${url}/${gid}/first`, keepAnswer: true, payload: { amount: 30 } };
  const second = { action: `${url}/${gid}/second`, payload: { amount: 30 }, retry: quickly };
  return { gid, mode: 'saga', steps: [first, second] };
}

/** A server that finds two transactions half done, of which one is damaged. */
async function serverAfter(damage: string, options: Record<string, string> = {}) {
  const path = `${scratchFolder()}/amends.db`;
  const answers: Record<string, number> = { '/hurt/second': 500, '/well/second': 500 };
  const bank = await participant(answers);
  const first = await runningServer({ store: `sqlite:${path}` });
  for (const gid of ['hurt', 'well']) await first.post('/api/v1/transactions', saga(gid, bank.url));
  await Promise.all([bank.called('/hurt/second'), bank.called('/well/second')]);
  await first.stop();
  alter(path, damage);
  bank.calls.length = 0;
  answers['/hurt/second'] = 200;
  answers['/well/second'] = 200;
  return { bank, path, amends: await runningServer({ store: `sqlite:${path}`, ...options }) };
}

function alter(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

const at = '/api/v1/transactions/hurt';

async function held(amends: RunningServer): Promise<readonly { gid: string; hold: string }[]> {
  return (await amends.get('/api/v1/transactions?held=true')).body.transactions;
}

describe.each(damages)('of which %s', (_name, damage, reason) => {
  it('a transaction is on hold and terminable, nothing of it is sent, and the others go on', async () => {
    const { bank, amends } = await serverAfter(damage);
    expect(await amends.end('well')).toMatchObject({ status: 'succeed' });
    await expect.poll(() => held(amends), { timeout: 5_000 }).toMatchObject([{ gid: 'hurt', hold: 'unreadable' }]);
    for (const path of [at, `${at}?waitMs=1000`])
      expect(await amends.get(path)).toMatchObject({
        status: 500,
        body: { code: 'store_refused', detail: expect.stringMatching(reason) },
      });
    expect(await amends.post(`${at}/retry`, { reason: 'why not' })).toMatchObject({
      status: 500,
      body: { code: 'store_refused' },
    });
    const ended = await amends.post(`${at}/terminate`, { reason: 'settled by hand' });
    expect(ended).toMatchObject({
      status: 200,
      body: { gid: 'hurt', status: 'failed', hold: null, decision: { direction: 'terminate' }, branches: [] },
    });
    expect(await amends.post(`${at}/terminate`, { reason: 'again' })).toMatchObject({
      status: 409,
      body: { code: 'already_finished' },
    });
    expect((await amends.history('hurt')).at(-1)).toMatchObject({ kind: 'terminated', detail: 'settled by hand' });
    expect(await held(amends)).toEqual([]);
    expect(bank.calls.filter((call) => !call.includes('/well/'))).toEqual([]);
  });
});

it('the operator’s web hook is told of what cannot be read', async () => {
  const alerts: object[] = [];
  const operator = await participant({}, (body) => alerts.push(JSON.parse(body)));
  await serverAfter(inRow("state = 'x'"), { 'alert.webHook': `${operator.url}/hook` });
  await operator.called('/hook');
  await expect.poll(() => alerts).toMatchObject([{ gid: 'hurt', error: expect.stringMatching(/^unreadable: /) }]);
});

it('a transaction whose damage has been repaired goes on when a human says retry', async () => {
  const { bank, path, amends } = await serverAfter(inSpec("plan = replace(plan, '/second', '/thief')"));
  await expect.poll(() => held(amends), { timeout: 5_000 }).toHaveLength(1);
  await amends.stop();
  alter(path, inSpec("plan = replace(plan, '/thief', '/second')"));
  const repaired = await runningServer({ store: `sqlite:${path}` });
  const found = await repaired.get(at);
  expect(found).toMatchObject({ status: 200, body: { wakeAt: null } });
  expect(found.body.hold).toEqual({ code: 'unreadable' });
  expect((await repaired.post(`${at}/retry`, { reason: 'restored' })).status).toBe(200);
  expect(await repaired.end('hurt')).toMatchObject({ status: 'succeed', hold: null });
  expect(bank.calls.filter((call) => call.includes('/hurt/'))).toEqual(['action /hurt/second']);
});

it('terminating what cannot be read by DTM’s API, and making it wait no longer, is answered as usual', async () => {
  const { amends } = await serverAfter(inRow("state = 'x'"));
  await expect.poll(() => held(amends), { timeout: 5_000 }).toHaveLength(1);
  expect(await amends.get('/api/dtmsvr/resetCronTime?timeout=1&limit=10')).toMatchObject({ status: 200 });
  expect(await amends.get('/api/dtmsvr/query?gid=hurt')).toMatchObject({
    status: 500,
    body: { message: expect.stringMatching(/cannot be read/) },
  });
  expect((await amends.post('/api/dtmsvr/forceStop', { gid: 'hurt' })).status).toBe(200);
  expect(await held(amends)).toEqual([]);
});

it('asking again for what cannot be read is answered, and does not stop the server', async () => {
  const { bank, amends } = await serverAfter(inSpec("plan = 'x'"));
  await expect.poll(() => held(amends), { timeout: 5_000 }).toHaveLength(1);
  const again = await amends.post('/api/v1/transactions?waitMs=5000', saga('hurt', bank.url));
  expect(again).toMatchObject({ status: 500, body: { code: 'store_refused' } });
  expect(await amends.post('/api/v1/transactions?waitMs=5000', saga('next', bank.url))).toMatchObject({
    status: 201,
    body: { status: 'succeed' },
  });
  expect((await amends.get('/api/v1/health')).body).toMatchObject({ state: 'running', reason: '', uncommitted: 0 });
  expect((await amends.get('/metrics')).body).toContain('amends_transactions_held_total{mode="saga"} 1');
});

it('a topic that cannot be read says so, keeps nothing else from going on, and can be deleted and made again', async () => {
  const path = `${scratchFolder()}/amends.db`;
  const bank = await participant();
  const first = await runningServer({ store: `sqlite:${path}` });
  for (const topic of ['hurt', 'well'])
    expect((await first.get(`/api/dtmsvr/subscribe?topic=${topic}&url=${bank.url}/${topic}`)).status).toBe(200);
  await first.stop();
  alter(path, `UPDATE document SET content = '{"subscribers":[{}]}' WHERE key = 'hurt'`);
  const amends = await runningServer({ store: `sqlite:${path}` });
  const refused = {
    status: 500,
    body: { code: 'store_refused', detail: expect.stringMatching(/"hurt" cannot be read.*delete/) },
  };
  const tell = (topic: string) => ({ mode: 'msg', steps: [{ action: `topic://${topic}` }] });
  expect(await amends.get('/api/v1/topics')).toMatchObject(refused);
  expect(await amends.post('/api/v1/transactions', tell('hurt'))).toMatchObject(refused);
  expect(await amends.post('/api/v1/transactions?waitMs=5000', tell('well'))).toMatchObject({ body: { status: 'succeed' } });
  expect((await amends.ask('DELETE', '/api/dtmsvr/topic/hurt')).status).toBe(200);
  expect((await amends.get('/api/v1/topics')).body.topics).toMatchObject([{ topic: 'well' }]);
  expect((await amends.get(`/api/dtmsvr/subscribe?topic=hurt&url=${bank.url}/again`)).status).toBe(200);
  expect(await amends.post('/api/v1/transactions?waitMs=5000', tell('hurt'))).toMatchObject({ body: { status: 'succeed' } });
});

it('what a newer version has written is left to that: it is neither held nor terminated here', async () => {
  const { amends } = await serverAfter(inRow('format = 99'));
  expect(await amends.end('well')).toMatchObject({ status: 'succeed' });
  const refused = { status: 500, body: { code: 'store_refused', detail: expect.stringMatching(/newer version/) } };
  expect(await amends.get(at)).toMatchObject(refused);
  expect(await amends.post(`${at}/terminate`, { reason: 'impatience' })).toMatchObject(refused);
  expect((await amends.get('/api/v1/transactions?status=submitted')).body.transactions).toMatchObject([
    { gid: 'hurt', hold: null },
  ]);
});
