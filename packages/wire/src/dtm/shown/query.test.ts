import { decide, epochMs, type Gid, givenAtFirst, nodeId, toRow } from '@amends/core';
import { describe, expect, it } from 'vitest';
import { allBody, parseAll } from '../list.ts';
import { makeDtmSpec } from '../submission.ts';
import { parseDtmTransaction } from '../transaction.ts';
import { queryBody } from './query.ts';
import type { DtmRecord } from './record.ts';

const context = {
  defaults: { requestTimeoutMs: 3_000, retryIntervalMs: 10_000, timeoutToFailMs: 35_000, runAhead: true },
  subscribersOf: () => undefined,
};
const at = epochMs(Date.UTC(2030, 0, 2, 3, 4, 5, 678));

function view(retryLimit = 2): DtmRecord {
  const spec = makeDtmSpec(
    parseDtmTransaction({
      fields: {
        gid: 'g1',
        trans_type: 'saga',
        steps: [{ action: 'http://a/out', compensate: 'http://a/undo' }, { action: 'http://b/in' }],
        payloads: ['{"a":1}', ''],
        wait_result: true,
        retry_limit: retryLimit,
        custom_data: '{"concurrent":true}',
      },
    }),
    context,
  );
  const moment = { at, jitter: 0 };
  const submitted = { ...moment, type: 'submitted', gid: 'g1' as Gid, owner: nodeId('n1') } as const;
  const given = givenAtFirst(spec);
  const { next, wakeAt } = decide(null, given, [submitted]);
  return { transaction: next, given, wakeAt, history: [], resetAt: null };
}

describe('the answer of query', () => {
  it('shows the transaction as DTM does', () => {
    expect(queryBody(view())).toMatchObject({
      transaction: {
        id: expect.any(Number),
        create_time: '2030-01-02T03:04:05.678Z',
        update_time: '2030-01-02T03:04:05.678Z',
        gid: 'g1',
        trans_type: 'saga',
        status: 'submitted',
        protocol: 'http',
        options: '{"wait_result":true,"concurrent":false,"retry_limit":2}',
        custom_data: '{"concurrent":true}',
        next_cron_interval: 10,
        owner: 'n1',
        wait_result: true,
        retry_limit: 2,
        concurrent: false,
      },
    });
  });

  it('lists the compensation of each step before its action', () => {
    const { branches } = queryBody(view()) as { branches: object[] };
    const shared = {
      create_time: '2030-01-02T03:04:05.678Z',
      update_time: '2030-01-02T03:04:05.678Z',
      gid: 'g1',
      status: 'prepared',
    };
    expect(branches).toEqual([
      { id: 1, ...shared, url: 'http://a/undo', bin_data: 'eyJhIjoxfQ==', branch_id: '01', op: 'compensate' },
      { id: 2, ...shared, url: 'http://a/out', bin_data: 'eyJhIjoxfQ==', branch_id: '01', op: 'action' },
      { id: 3, ...shared, branch_id: '02', op: 'compensate' },
      { id: 4, ...shared, url: 'http://b/in', branch_id: '02', op: 'action' },
    ]);
  });

  it('names the pause of what waits, not of what may have been called by a node that is gone (AHEAD-3)', () => {
    const record = view(9);
    const { given } = record;
    const first = { branch: 0, way: 'forward', at, jitter: 0 } as const;
    const placed = { type: 'placed', ...first } as const;
    const called = decide(record.transaction, given, [placed]).next;
    const before = { ...called, aheadUntil: epochMs(at + 1_000) };
    const lost = { class: 'unknown', code: 'timeout', detail: '', exchange: 'broken', durationMs: 3_000 } as const;
    const taken = decide(before, given, [{ type: 'recovered', at, jitter: 0 }, placed]).next;
    const answer = { type: 'answered', ...first, attempt: 2, outcome: lost } as const;
    const { next, wakeAt, history } = decide(taken, given, [answer]);
    expect(next.branches[1]!.forward).toMatchObject({ at: 'waiting', unknowns: 0, dueAt: at });
    const { transaction } = queryBody({ ...record, transaction: next, wakeAt, history }) as { transaction: object };
    expect(transaction).toMatchObject({ next_cron_interval: 20, next_cron_time: '2030-01-02T03:04:25.678Z' });
  });

  it('has ids that fit 32 bits with sign', () => {
    const { transaction } = queryBody(view()) as { transaction: { id: number } };
    expect(transaction.id).toBeGreaterThan(0);
    expect(transaction.id).toBeLessThan(2 ** 31);
  });
});

describe('all', () => {
  it('takes DTM filters', () => {
    expect(parseAll({ limit: '5', status: 'failed', transType: 'saga', createTimeStart: '1500', createTimeEnd: '2500' })).toEqual(
      {
        kind: 'page',
        page: { limit: 5, status: 'failed', mode: 'saga', createdFrom: 1000, createdBefore: 3000 },
      },
    );
    expect(parseAll({})).toEqual({ kind: 'page', page: { limit: 100 } });
    expect(parseAll({ gid: 'x' })).toEqual({ kind: 'one', gid: 'x' });
    expect(parseAll({ transType: 'tcc' })).toEqual({ kind: 'page', page: { limit: 100, mode: 'tcc' } });
    expect(parseAll({ transType: 'magic' })).toEqual({ kind: 'none' });
  });

  it('goes on where the page before ended', () => {
    const { transaction } = view();
    const row = toRow(transaction, { dueAt: null, waitsFor: '', errorPrint: '' });
    const body = allBody([row], { createdAt: row.createdAt, gid: row.gid }) as { transactions: object[]; next_position: string };
    expect(body.transactions).toEqual([
      {
        id: expect.any(Number),
        create_time: '2030-01-02T03:04:05.678Z',
        update_time: '2030-01-02T03:04:05.678Z',
        gid: 'g1',
        trans_type: 'saga',
        status: 'submitted',
        owner: 'n1',
      },
    ]);
    expect(parseAll({ position: body.next_position })).toEqual({
      kind: 'page',
      page: { limit: 100, after: { createdAt: at, gid: 'g1' } },
    });
    expect(allBody([], null)).toEqual({ transactions: [], next_position: '' });
  });

  it('refuses what is no number and no position', () => {
    expect(() => parseAll({ limit: 'abc' })).toThrow('limit: convert to int error: abc');
    expect(() => parseAll({ position: 'abc' })).toThrow(/^position: /);
  });
});
