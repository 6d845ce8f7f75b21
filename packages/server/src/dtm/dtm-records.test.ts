/** What `query` and `all` tell of a transaction is true of it: times, pauses, options. */
import { openMemoryStore } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { participant } from '../testing/participant.ts';
import { type RunningServer, runningServer } from '../testing/running-server.ts';
import { scratchFolder } from '../testing/scratch.ts';

const submit = (amends: RunningServer, gid: string, actions: readonly string[], rest: object = {}) =>
  amends.post('/api/dtmsvr/submit', {
    gid,
    trans_type: 'saga',
    steps: actions.map((action) => ({ action, compensate: '' })),
    payloads: actions.map(() => '{}'),
    ...rest,
  });
const query = async (amends: RunningServer, gid: string) => (await amends.get(`/api/dtmsvr/query?gid=${gid}`)).body;
const reset = (amends: RunningServer, gid: string) =>
  amends.ask('POST', '/api/dtmsvr/resetNextCronTime', { gid }, { 'x-amends-actor': 'ann' });
const ms = (time: string) => Date.parse(time);

/** When the history says that something ended. */
async function answeredAt(amends: RunningServer, gid: string, branchId: string, op: string): Promise<number> {
  const found = (await amends.history(gid)).findLast((entry) => entry.branchId === branchId && entry.op === op);
  return ms(found!.at);
}

describe('the branches of query', () => {
  it.each([
    ['memory', () => 'memory:'],
    ['SQLite', () => `sqlite:${scratchFolder()}/amends.db`],
  ])('carry the times of their own calls, and when they ended: %s', async (_name, store) => {
    const bank = await participant({ '/no': 409 });
    const amends = await runningServer({ store: store() });
    await submit(amends, 'g', [`${bank.url}/yes`, `${bank.url}/no`]);
    await amends.end('g');
    const { transaction, branches } = await query(amends, 'g');
    const [undo, first, , second] = branches;
    for (const [row, branchId, op] of [
      [first, '01', 'action'],
      [second, '02', 'action'],
    ]) {
      const at = new Date(await answeredAt(amends, 'g', branchId, op)).toISOString();
      expect(row).toMatchObject({ create_time: transaction.create_time, update_time: at, finish_time: at });
    }
    expect(ms(first.finish_time)).toBeLessThanOrEqual(ms(second.finish_time));
    // Nothing was called to undo it.
    expect(undo).toMatchObject({ status: 'succeed', update_time: transaction.create_time });
    expect(undo).not.toHaveProperty('finish_time');
  });

  it('have no finish_time while they are tried again, but the time of the last attempt', async () => {
    const bank = await participant({ '/a': 500 });
    const amends = await runningServer();
    await submit(amends, 'g', [`${bank.url}/a`]);
    await amends.rest('g');
    const { branches } = await query(amends, 'g');
    const at = new Date(await answeredAt(amends, 'g', '01', 'action')).toISOString();
    expect(branches[1]).toMatchObject({ status: 'prepared', update_time: at });
    expect(branches[1]).not.toHaveProperty('finish_time');
  });

  it('come when they are registered', async () => {
    const amends = await runningServer();
    await amends.post('/api/dtmsvr/prepare', { gid: 'g', trans_type: 'tcc' });
    await amends.post('/api/dtmsvr/registerBranch', { gid: 'g', trans_type: 'tcc', branch_id: '01', confirm: '', cancel: '' });
    const [, registered] = await amends.history('g');
    const created = new Date(registered!.at).toISOString();
    expect((await query(amends, 'g')).branches).toMatchObject([{ create_time: created }, { create_time: created }]);
  });

  it('are recorded steps of a workflow with the time of their recording', async () => {
    const amends = await runningServer();
    const workflow = { gid: 'w', trans_type: 'workflow', custom_data: '{"name":"order"}' };
    await amends.post('/api/dtmsvr/prepareWorkflow', workflow);
    const step = { gid: 'w', trans_type: 'workflow', branch_id: '01', op: 'action', status: 'succeed', data: 'seat' };
    await amends.post('/api/dtmsvr/registerBranch', step);
    const at = new Date((await amends.history('w'))[1]!.at).toISOString();
    const { progresses } = (await amends.post('/api/dtmsvr/prepareWorkflow', workflow)).body;
    expect(progresses).toMatchObject([{ branch_id: '01', op: 'action', create_time: at, update_time: at, finish_time: at }]);
  });
});

describe('next_cron_interval', () => {
  it('follows the back-off', async () => {
    let aheadMs = 0;
    let onCall = () => {};
    const bank = await participant({
      '/a': (response) => {
        onCall();
        response.writeHead(500).end();
      },
    });
    const amends = await runningServer({}, { store: openMemoryStore({ now: () => Date.now() + aheadMs }) });
    await submit(amends, 'g', [`${bank.url}/a`], { retry_interval: 20 });
    const intervals: number[] = [];
    for (let failures = 1; failures <= 3; failures++) {
      await amends.rest('g');
      const { next_cron_interval: interval, next_cron_time: time, update_time: updated } = (await query(amends, 'g')).transaction;
      intervals.push(interval);
      const pauseMs = ms(time) - ms(updated);
      expect(pauseMs).toBeGreaterThanOrEqual(interval * 1_000);
      expect(pauseMs).toBeLessThanOrEqual(interval * 1_150);
      const called = new Promise<void>((resolve) => (onCall = resolve));
      aheadMs += pauseMs;
      await called;
    }
    expect(intervals).toEqual([20, 40, 80]);
  });

  it('stays as it is while a participant is ongoing', async () => {
    const bank = await participant({ '/a': 425 });
    const amends = await runningServer();
    await submit(amends, 'g', [`${bank.url}/a`], { retry_interval: 20 });
    await amends.rest('g');
    expect((await query(amends, 'g')).transaction).toMatchObject({ next_cron_interval: 20 });
  });
});

describe('resetNextCronTime on what is finished', () => {
  it('agrees, as DTM does, shows the moment and leaves a row in the audit; nothing is called', async () => {
    const bank = await participant();
    const store = openMemoryStore();
    const amends = await runningServer({}, { store });
    await submit(amends, 'g', [`${bank.url}/a`], { wait_result: true });
    const before = await query(amends, 'g');
    expect(before.transaction).not.toHaveProperty('next_cron_time');
    expect(await reset(amends, 'g')).toMatchObject({ status: 200, body: { dtm_result: 'SUCCESS' } });
    const after = await query(amends, 'g');
    expect(after.transaction).toEqual({
      ...before.transaction,
      next_cron_interval: 10,
      next_cron_time: expect.stringMatching(/Z$/),
    });
    const [audit] = await store.audit({ limit: 9 });
    expect(audit).toMatchObject({ gid: 'g', actor: 'ann', verb: 'reset-next-cron-time' });
    expect(after.transaction.next_cron_time).toBe(new Date(audit!.at).toISOString());
    expect(bank.calls).toEqual(['action /a']);
  });
});

describe('the rows of all', () => {
  it('leave out what only the request says, and tell it for one gid', async () => {
    const bank = await participant({ '/a': 500 });
    const amends = await runningServer();
    await submit(amends, 'g', [`${bank.url}/a`], { wait_result: true, retry_interval: 20 });
    await amends.rest('g');
    const [row] = (await amends.get('/api/dtmsvr/all')).body.transactions;
    const { transaction } = await query(amends, 'g');
    for (const key of ['protocol', 'options', 'concurrent', 'wait_result']) expect(row).not.toHaveProperty(key);
    expect(transaction).toMatchObject(row);
    expect(row).toHaveProperty('next_cron_time');
    expect((await amends.get('/api/dtmsvr/all?gid=g')).body.transactions).toEqual([transaction]);
  });

  it('tell no next time while calls are in flight', async () => {
    const bank = await participant({ '/slow': () => {} });
    const amends = await runningServer();
    await submit(amends, 'g', [`${bank.url}/slow`]);
    await bank.called('/slow');
    expect((await amends.get('/api/dtmsvr/all')).body.transactions[0]).not.toHaveProperty('next_cron_time');
  });

  it('are an empty list where there are none', async () => {
    const amends = await runningServer();
    for (const asked of ['', '?gid=x', '?status=failed', '?transType=tcc', '?transType=magic'])
      expect((await amends.get(`/api/dtmsvr/all${asked}`)).body).toEqual({ transactions: [], next_position: '' });
  });
});
