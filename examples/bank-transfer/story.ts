/** Stories of transfers: one that succeeds, one that is refused, and many during which a bank's power is cut. */
import assert from 'node:assert/strict';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';
import { transfer } from './transfer.ts';

type Service = 'bank-a' | 'bank-b' | 'letters';

/** Two banks and a post office. */
export const bankTransfer: Example<Service> = {
  name: 'bank-transfer',
  services: {
    'bank-a': { script: 'bank.ts', args: ['--name', 'a', '--account', 'ann=10000'] },
    'bank-b': { script: 'bank.ts', args: ['--name', 'b', '--account', 'bob=5000'] },
    letters: { script: 'letters.ts' },
  },
  stories: [
    {
      title: 'Ann sends Bob 30.00 at another bank',
      async play(stage) {
        const { gid, outcome } = await send(stage, 'bob', 3_000).submit({ waitMs: 10_000 });
        assert.equal(outcome, 'succeeded');
        return { gid, state: await stateOf(stage, { ann: 7_000, bob: 8_000, letters: 1 }) };
      },
    },
    {
      title: 'Ann sends 30.00 to Carl, whom the other bank does not know: she gets them back',
      async play(stage) {
        const { gid, outcome } = await send(stage, 'carl', 3_000).submit({ waitMs: 10_000 });
        assert.equal(outcome, 'failed');
        return { gid, state: await stateOf(stage, { ann: 7_000, bob: 8_000, letters: 1 }) };
      },
    },
    {
      title: "Ten transfers of 5.00, while the power of Bob's bank is cut",
      async play(stage) {
        const five = () => Promise.all(Array.from({ length: 5 }, () => send(stage, 'bob', 500).submit()));
        const before = await five();
        await stage.kill('bank-b');
        const meanwhile = await five();
        await stage.missed(meanwhile[0]!.gid);
        await stage.restart('bank-b');
        const sent = [...before, ...meanwhile];
        const ended = await Promise.all(sent.map(({ gid }) => stage.amends.wait(gid, { waitMs: 20_000 })));
        for (const { outcome } of ended) assert.equal(outcome, 'succeeded');
        const hit = ended.toSorted((one, other) => attempts(other) - attempts(one))[0]!;
        return { gid: hit.gid, state: await stateOf(stage, { ann: 2_000, bob: 13_000, letters: 11 }) };
      },
    },
  ],
};

function send({ amends, url }: Stage<Service>, recipient: string, cents: number) {
  const from = { bank: url['bank-a'], account: 'ann' };
  const to = { bank: url['bank-b'], account: recipient };
  return transfer(amends, { from, to, cents, letters: url.letters });
}

function attempts(transaction: {
  readonly branches: readonly { readonly calls: readonly { readonly attempts: number }[] }[];
}): number {
  return transaction.branches.reduce((sum, { calls }) => sum + calls[0]!.attempts, 0);
}

/** Asks the services how they are, and asserts that it is as told. */
async function stateOf({ url }: Stage<Service>, told: Record<'ann' | 'bob' | 'letters', number>) {
  const balances = [...(await read(`${url['bank-a']}/accounts`)), ...(await read(`${url['bank-b']}/accounts`))];
  const letters = await read(`${url.letters}/letters`);
  const state = { ...Object.fromEntries(balances.map(({ name, cents }) => [name, cents])), letters: letters.length };
  assert.deepEqual(state, told);
  return told;
}

async function read(url: string): Promise<Record<string, string | number>[]> {
  return (await (await fetch(url)).json()) as Record<string, string | number>[];
}

if (import.meta.main) await tell(bankTransfer);
