/** Addresses that could never be called are refused when they are given; names that lead to one hold the transaction. */
import { describe, expect, it } from 'vitest';
import { participant } from '../testing/participant.ts';
import { runningServer } from '../testing/running-server.ts';

const metadata = [
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://0251.0376.0251.0376/',
  'http://169.254.43518/',
  'http://169.254.169.254./',
  'http://１６９.254.169.254/',
  'http://[::ffff:169.254.169.254]/x',
  'http://[::ffff:a9fe:a9fe]/x',
  'http://[64:ff9b::a9fe:a9fe]/x',
  'http://[fe80::1]/',
  'http://0.0.0.0/',
  'http://0/',
  'http://[::]/',
  'HTTPS://224.0.0.1:8443/',
];
const never = /is link-local, metadata, multicast or reserved, which is never called$/;

describe('an address that is never called', () => {
  it.each(metadata)('is refused natively, with the field, and nothing is stored: %s', async (url) => {
    const amends = await runningServer();
    const good = { action: 'http://127.0.0.1:9/a', compensate: 'http://127.0.0.1:9/b' };
    const steps = [good, { action: 'http://127.0.0.1:9/a', compensate: url }];
    const answer = await amends.post('/api/v1/transactions', { mode: 'saga', steps });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ field: 'steps[1].compensate', message: expect.stringMatching(never) }] },
    });
    expect(await amends.gids()).toEqual([]);
  });

  it.each(metadata)('is refused on the DTM routes, with the field, and nothing is stored: %s', async (url) => {
    const amends = await runningServer();
    const answer = await amends.post('/api/dtmsvr/submit', {
      gid: 'g1',
      trans_type: 'saga',
      steps: [{ action: url, compensate: '' }],
      payloads: ['{}'],
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^steps\[0\]\.action: .* never called$/) },
    });
    expect(await amends.gids()).toEqual([]);
  });

  it('is refused wherever DTM clients give one: the question of a message, the second phase of a branch', async () => {
    const amends = await runningServer();
    const message = {
      gid: 'm',
      trans_type: 'msg',
      steps: [{ action: 'http://127.0.0.1:9/' }],
      payloads: ['{}'],
      query_prepared: metadata[0],
    };
    expect((await amends.post('/api/dtmsvr/prepare', message)).body.message).toMatch(/^query_prepared: 169\.254/);
    await amends.post('/api/dtmsvr/prepare', { gid: 't', trans_type: 'tcc' });
    const branch = {
      gid: 't',
      trans_type: 'tcc',
      branch_id: '01',
      data: '{}',
      confirm: 'http://127.0.0.1:9/',
      cancel: metadata[1],
    };
    expect(await amends.post('/api/dtmsvr/registerBranch', branch)).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^cancel: 169\.254\.169\.254 is link-local/) },
    });
    await amends.post('/api/dtmsvr/prepare', { gid: 'x', trans_type: 'xa' });
    const local = { gid: 'x', trans_type: 'xa', branch_id: '01', url: metadata[5] };
    expect((await amends.post('/api/dtmsvr/registerBranch', local)).body.message).toMatch(/^url: 169\.254/);
    expect((await amends.get('/api/v1/transactions/t')).body.branches).toEqual([]);
    expect((await amends.get('/api/v1/transactions/x')).body.branches).toEqual([]);
  });

  it('may also be one that the configuration denies', async () => {
    const amends = await runningServer({ 'participants.deny': '127.0.0.0/8' });
    const steps = [{ action: 'http://2130706433:9/a' }];
    const { body } = await amends.post('/api/v1/transactions', { mode: 'saga', steps });
    expect(body.detail).toBe('steps[0].action: 127.0.0.1 is denied by participants.deny');
  });
});

describe('a name that leads to a forbidden address', () => {
  it('holds an action at once, although its policy would go on and then roll back', async () => {
    const amends = await runningServer({ 'participants.deny': 'localhost' });
    const retry = { attemptsMax: 5, delayMs: 1, atEnd: 'roll-back' };
    await amends.post('/api/v1/transactions', { gid: 'g', mode: 'saga', steps: [{ action: 'http://localhost:9/a', retry }] });
    expect(await amends.rest('g')).toMatchObject({ outcome: 'running', hold: { code: 'address-forbidden', branchId: '01' } });
    const history = await amends.history('g');
    expect(history.map(({ kind, code }) => [kind, code])).toEqual([
      ['submitted', null],
      ['answered', 'address_forbidden'],
      ['held', 'address-forbidden'],
    ]);
    expect(history.at(-1)!.detail).toMatch(/^localhost \(.*\) is denied by participants\.deny$/);
  });

  it('holds a compensation at once; DTM clients go on seeing the standard status', async () => {
    const bank = await participant({ '/refuse': 409 });
    const amends = await runningServer({ 'participants.deny': 'localhost' });
    const steps = [
      { action: `${bank.url}/a`, compensate: 'http://localhost:9/una' },
      { action: `${bank.url}/refuse`, compensate: '' },
    ];
    await amends.post('/api/dtmsvr/submit', { gid: 'g', trans_type: 'saga', steps, payloads: ['{}', '{}'] });
    expect(await amends.rest('g')).toMatchObject({ hold: { code: 'address-forbidden', branchId: '01', op: 'compensate' } });
    expect((await amends.get('/api/dtmsvr/query?gid=g')).body.transaction.status).toBe('aborting');
    expect((await amends.get('/api/v1/transactions?held=true')).body.transactions).toHaveLength(1);
  });
});
