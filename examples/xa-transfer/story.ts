/** Stories of transfers by XA: committed, refused, and one during which a bank's power is cut while its database waits. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { BusinessFailure } from '@amends/client';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';
import { type Transfer, transfer } from './transfer.ts';

type Service = 'bank-a' | 'bank-b';

/** Two banks on Postgres. */
export const xaTransfer: Example<Service> = {
  name: 'xa-transfer',
  databases: ['postgres'],
  services: {
    'bank-a': { script: 'bank.ts', args: ['--name', 'a', '--account', 'ann=10000'], asksServer: true, uses: ['postgres'] },
    'bank-b': { script: 'bank.ts', args: ['--name', 'b', '--account', 'bob=5000'], asksServer: true, uses: ['postgres'] },
  },
  stories: [
    {
      title: 'Ann sends Bob 30.00: prepared at both banks and seen by nobody, then committed at both',
      async play(stage) {
        const unseen = async () => assert.deepEqual(await balances(stage), { ann: '100.00', bob: '50.00' });
        const { gid } = await send(stage, 'bob', 3_000, { decide: unseen });
        return ending(stage, gid, 'succeeded', { ann: '70.00', bob: '80.00' });
      },
    },
    {
      title: 'Ann sends 30.00 to Carl, whom the other bank does not know: her bank rolls back',
      async play(stage) {
        const gid = randomUUID();
        await assert.rejects(send(stage, 'carl', 3_000, { gid }), BusinessFailure);
        return ending(stage, gid, 'failed', { ann: '70.00', bob: '80.00' });
      },
    },
    {
      title: "Ann sends Bob 5.00; it is prepared, and the power of Bob's bank is cut: its database keeps what it has prepared",
      async play(stage) {
        const { gid } = await send(stage, 'bob', 500, { decide: () => stage.kill('bank-b') });
        await stage.missed(gid);
        await stage.restart('bank-b');
        return ending(stage, gid, 'succeeded', { ann: '65.00', bob: '85.00' });
      },
    },
  ],
};

function send({ amends, url }: Stage<Service>, recipient: string, cents: number, how: Partial<Transfer> = {}) {
  const from = { bank: url['bank-a'], account: 'ann' };
  const to = { bank: url['bank-b'], account: recipient };
  return transfer(amends, { gid: randomUUID(), from, to, cents, ...how });
}

type Balances = Record<'ann' | 'bob', string>;

async function ending(stage: Stage<Service>, gid: string, outcome: 'succeeded' | 'failed', told: Balances) {
  assert.equal((await stage.amends.wait(gid, { waitMs: 20_000 })).outcome, outcome);
  assert.deepEqual(await balances(stage), told);
  return { gid, state: told };
}

async function balances({ url }: Stage<Service>): Promise<Record<string, string>> {
  const accounts = [...(await read(`${url['bank-a']}/accounts`)), ...(await read(`${url['bank-b']}/accounts`))];
  return Object.fromEntries(accounts.map(({ name, cents }) => [name, (cents / 100).toFixed(2)]));
}

async function read(url: string): Promise<{ readonly name: string; readonly cents: number }[]> {
  return (await (await fetch(url)).json()) as { readonly name: string; readonly cents: number }[];
}

if (import.meta.main) await tell(xaTransfer);
