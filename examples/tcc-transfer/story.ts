/** Stories of transfers in two phases: confirmed, refused, forgotten, and one during which a bank's power is cut. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { BusinessFailure } from '@amends/client';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';
import { until } from '../stage/until.ts';
import { type Transfer, transfer } from './transfer.ts';

type Service = 'bank-a' | 'bank-b';

/** Two banks. */
export const tccTransfer: Example<Service> = {
  name: 'tcc-transfer',
  services: {
    'bank-a': { script: 'bank.ts', args: ['--name', 'a', '--account', 'ann=10000'] },
    'bank-b': { script: 'bank.ts', args: ['--name', 'b', '--account', 'bob=5000'] },
  },
  stories: [
    {
      title: 'Ann sends Bob 30.00: set aside at one bank, announced at the other, then confirmed at both',
      async play(stage) {
        const inBetween = { ann: '70.00, 30.00 leaving', bob: '50.00, 30.00 coming' };
        const { gid } = await send(stage, 'bob', 3_000, { decide: async () => void (await stateOf(stage, inBetween)) });
        return ending(stage, gid, 'succeeded', { ann: '70.00', bob: '80.00' });
      },
    },
    {
      title: 'Ann sends 30.00 to Carl, whom the other bank does not know: what was set aside is hers again',
      async play(stage) {
        const gid = randomUUID();
        await assert.rejects(send(stage, 'carl', 3_000, { gid }), BusinessFailure);
        return ending(stage, gid, 'failed', { ann: '70.00', bob: '80.00' });
      },
    },
    {
      title: 'Ann sends Bob 5.00, and whoever should decide dies: when the time is up both banks cancel',
      async play(stage) {
        const gid = randomUUID();
        const dead = new Promise<never>(() => {});
        send(stage, 'bob', 500, { gid, timeoutMs: 1_000, decide: () => dead }).catch(() => {});
        return ending(stage, gid, 'failed', { ann: '70.00', bob: '80.00' });
      },
    },
    {
      title: "Ann sends Bob 5.00; it is decided, and the power of Bob's bank is cut before it hears of it",
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

async function ending(stage: Stage<Service>, gid: string, outcome: 'succeeded' | 'failed', balances: Balances) {
  // The first request about it may still be under way.
  await until(`the beginning of ${gid}`, async () => (await stage.amends.list()).transactions.some((one) => one.gid === gid));
  assert.equal((await stage.amends.wait(gid, { waitMs: 20_000 })).outcome, outcome);
  return { gid, state: await stateOf(stage, balances) };
}

/** Asks the banks how they are, and asserts that it is as told. */
async function stateOf({ url }: Stage<Service>, told: Balances): Promise<Balances> {
  const accounts = [...(await read(`${url['bank-a']}/accounts`)), ...(await read(`${url['bank-b']}/accounts`))];
  assert.deepEqual(Object.fromEntries(accounts.map((account) => [account.name, inWords(account)])), told);
  return told;
}

interface AccountRow {
  readonly name: string;
  readonly cents: number;
  readonly leaving: number;
  readonly coming: number;
}

function inWords({ cents, leaving, coming }: AccountRow): string {
  const money = (amount: number) => (amount / 100).toFixed(2);
  return [money(cents), leaving > 0 && `${money(leaving)} leaving`, coming > 0 && `${money(coming)} coming`]
    .filter(Boolean)
    .join(', ');
}

async function read(url: string): Promise<AccountRow[]> {
  return (await (await fetch(url)).json()) as AccountRow[];
}

if (import.meta.main) await tell(tccTransfer);
