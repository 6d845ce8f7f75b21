/** Answers that are lost after the work was committed: whoever asks again is told what the first would have heard. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bank, openBank } from '../../tests/bank.ts';
import { freshGid } from '../../tests/databases.ts';
import { openStage, type Stage } from '../../tests/stage.ts';
import type { BranchRef } from '../participants/call.ts';
import { NeedsAttention } from '../participants/verdict.ts';
import { sqliteBarrier } from './sqlite/sqlite.ts';

let stage: Stage;
let bank: Bank;
let gid: string;
const mails: unknown[] = [];
/** What happens after the work of a booking was committed, and before anybody hears of it. */
let afterwards: () => void = () => {};

const once = (act: () => void) => {
  let isFirst = true;
  return () => {
    const mayAct = isFirst;
    isFirst = false;
    if (mayAct) act();
  };
};
const powerCut = () =>
  once(() => {
    throw new Error('power cut');
  });
const asByAnotherProgram = () => bank.db.exec('DELETE FROM dtm_barrier_result');

async function book(call: BranchRef) {
  const seat = await sqliteBarrier(bank.db).run(call, () => ({ seat: `lh${bank.move('ann', -1)}` }));
  afterwards();
  return seat;
}
const cancel = (call: BranchRef) => sqliteBarrier(bank.db).run(call, () => bank.move('ann', 1));

beforeAll(async () => {
  stage = await openStage({
    routes: (client) => ({
      '/resume': client.resumeWorkflows(),
      '/book': book,
      '/cancel': cancel,
      '/mail': (call) => void mails.push(call.body),
      '/half': (call) =>
        sqliteBarrier(bank.db).run(call, () => {
          bank.move('ann', -1);
          bank.db.exec('COMMIT');
        }),
    }),
  });
});
afterAll(() => stage.close());
beforeEach(() => {
  bank = openBank();
  gid = freshGid();
  mails.length = 0;
  afterwards = () => {};
});
afterEach(() => bank.close());

const quickly = { delayMs: 1 } as const;
const trip = () =>
  stage.client
    .saga()
    .step({
      name: 'book',
      keepAnswer: true,
      action: `${stage.app}/book`,
      compensate: `${stage.app}/cancel`,
      retry: { ...quickly, attemptsMax: 3, atEnd: 'roll-back' },
    })
    .step({ kind: 'pivot', action: `${stage.app}/mail`, payload: (from) => ({ flies: from('book', '$.seat') }) });

describe('a saga', () => {
  it('goes on with the answer of the first call', async () => {
    afterwards = powerCut();
    expect(await trip().submit({ gid, waitMs: 20_000 })).toMatchObject({ outcome: 'succeeded' });
    expect([mails, bank.cents('ann')]).toEqual([[{ flies: 'lh99' }], 99]);
  });

  it('is held where another program has done the step, until a human says what it answered', async () => {
    afterwards = once(() => {
      asByAnotherProgram();
      throw new Error('power cut');
    });
    const held = await trip().submit({ gid, waitMs: 20_000 });
    expect(held).toMatchObject({ outcome: 'running', hold: { code: 'participant-stuck', branchId: '01', op: 'action' } });
    const entries = await stage.client.history(gid);
    expect(entries.at(-1)).toMatchObject({ kind: 'held', detail: expect.stringContaining('nobody knows what it answered') });
    bank.db
      .prepare('INSERT INTO dtm_barrier_result (gid, branch_id, op, barrier_id, result) VALUES (?, ?, ?, ?, ?)')
      .run(gid, '01', 'action', '01', '{"seat":"lh99"}');
    await stage.client.retry(gid, { reason: 'the seat is known' });
    expect(await stage.client.wait(gid, { waitMs: 20_000 })).toMatchObject({ outcome: 'succeeded' });
    expect([mails, bank.cents('ann')]).toEqual([[{ flies: 'lh99' }], 99]);
  });

  it('is neither gone on with nor undone where a step was left in the middle', async () => {
    const held = await stage.client
      .saga()
      .step({
        action: `${stage.app}/half`,
        compensate: `${stage.app}/cancel`,
        retry: { ...quickly, attemptsMax: 2, atEnd: 'roll-back' },
      })
      .submit({ gid, waitMs: 20_000 });
    expect(held).toMatchObject({ outcome: 'running', hold: { code: 'participant-stuck' } });
    await stage.client.terminate(gid, { reason: 'the test is over' });
    expect(bank.cents('ann')).toBe(99);
  });
});

describe('a workflow', () => {
  let names = 0;
  const travel = (step: (call: BranchRef) => Promise<{ seat: string } | undefined>, by: 'do' | 'fetch' = 'do') =>
    stage.client.workflow(
      `travel${names++}`,
      async (w) => {
        const booked = by === 'do' ? await w.do('book', step) : await w.fetch<{ seat: string }>(`${stage.app}/book`);
        await w.fetch(`${stage.app}/mail`, { payload: `flies with ${booked?.seat}` });
      },
      { resume: `${stage.app}/resume`, retryDelayMs: 1_000 },
    );

  it.each(['do', 'fetch'] as const)('goes on with the answer of the first call (%s)', async (by) => {
    afterwards = powerCut();
    const order = travel(book, by);
    await expect(order.run(null, { gid })).rejects.toThrow('power cut');
    await order.run(null, { gid });
    expect([mails, bank.cents('ann')]).toEqual([['flies with lh99'], 99]);
  });

  it.each(['do', 'fetch'] as const)('is held where another program has done the step (%s)', async (by) => {
    afterwards = once(() => {
      asByAnotherProgram();
      throw new Error('power cut');
    });
    const order = travel(book, by);
    await expect(order.run(null, { gid })).rejects.toThrow('power cut');
    await expect(order.run(null, { gid })).rejects.toThrow(NeedsAttention);
    const held = await stage.client.wait(gid, { waitMs: 20_000 });
    expect(held).toMatchObject({ outcome: 'running', hold: { code: 'participant-stuck', branchId: '00', op: 'resume' } });
    expect(mails).toEqual([]);
    await stage.client.terminate(gid, { reason: 'the test is over' });
  });
});
