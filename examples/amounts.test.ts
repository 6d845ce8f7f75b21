/** The services themselves refuse amounts and counts below 1. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Service } from './stage/service.ts';

describe.each([
  {
    script: 'bank-transfer/bank.ts',
    args: ['--account', 'ann=100'],
    asks: ['debit', 'credit', 'refund'],
    list: 'accounts',
    rows: [{ name: 'ann', cents: 100 }],
  },
  {
    script: 'tcc-transfer/bank.ts',
    args: ['--account', 'ann=100'],
    asks: ['withdraw', 'deposit'].flatMap((posting) => ['try', 'confirm', 'cancel'].map((phase) => `${posting}/${phase}`)),
    list: 'accounts',
    rows: [{ name: 'ann', cents: 100, leaving: 0, coming: 0 }],
  },
  {
    script: 'order-fulfilment/stock.ts',
    args: ['--item', 'lamp=10'],
    asks: ['reserve'],
    list: 'stock',
    rows: [{ item: 'lamp', available: 10, reserved: 0, shipped: 0 }],
  },
])('$script', ({ script, args, asks, list, rows }) => {
  const folder = mkdtempSync(join(tmpdir(), 'amends-amounts-'));
  const service = new Service({
    name: script,
    args: [join(import.meta.dirname, script), '--db', join(folder, 'service.db'), ...args],
    logFile: join(folder, 'service.log'),
    onCrash: (error) => {
      throw error;
    },
  });
  beforeAll(() => service.start());
  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  it.each(asks.flatMap((ask) => [-5, 0, 1.5].map((amount) => [ask, amount] as const)))('%s refuses %d', async (ask, amount) => {
    const query = new URLSearchParams({ gid: `${ask}${amount}`, trans_type: 'saga', branch_id: '01', op: 'action' });
    const answer = await fetch(`${service.url}/${ask}?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ account: 'ann', cents: amount, item: 'lamp', count: amount }),
    });
    expect(answer.status).toBe(409);
    expect(await (await fetch(`${service.url}/${list}`)).json()).toEqual(rows);
  });
});
