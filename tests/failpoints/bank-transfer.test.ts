/** Whoever dies during a transfer, and wherever: the money stays as it was in sum, and moves once or not at all. */
import { expect } from 'vitest';
import { bankTransfer } from '../../examples/bank-transfer/story.ts';
import { transfer } from '../../examples/bank-transfer/transfer.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { insist, rows, type System, waitForEnd } from './system.ts';

type BankTransferService = keyof typeof bankTransfer.services;

const total = 15_000;
/** All the money of two more customers: whoever has it cannot spend it twice. */
const purse = 100;
const banks = {
  ...bankTransfer,
  services: {
    ...bankTransfer.services,
    'bank-a': { script: 'bank.ts', args: ['--account', 'ann=10000', '--account', `dora=${purse}`] },
    'bank-b': { script: 'bank.ts', args: ['--account', 'bob=5000', '--account', 'emil=0'] },
  },
};

const plays: readonly Play<BankTransferService>[] = [
  { title: 'a transfer that succeeds', run: (system, id) => play(system, id, 'bob') },
  {
    title: 'two transfers of the last money at the same time',
    targets: ['coordinator', 'bank-a', 'bank-b'],
    boundaries: ['before-commit', 'after-commit'],
    run: race,
  },
  { title: 'a transfer that the other bank refuses', untouched: ['letters'], run: (system, id) => play(system, id, 'carl') },
];

async function play(system: System<BankTransferService>, id: string, recipient: string): Promise<void> {
  const { amends, url } = system;
  const before = await bookkeeping(system);
  const from = { bank: url['bank-a'], account: 'ann' };
  const to = { bank: url['bank-b'], account: recipient };
  await insist(() => transfer(amends, { from, to, cents: 1, letters: url.letters }).submit({ gid: id }));
  const { outcome } = await waitForEnd(amends, id);
  const after = await bookkeeping(system);
  const moved = recipient === 'bob' ? 1 : 0;
  expect(outcome).toBe(moved === 1 ? 'succeeded' : 'failed');
  expect(after).toEqual({ ann: before.ann - moved, bob: before.bob + moved, letters: before.letters + moved });
  expect(after.ann + after.bob).toBe(total);
}

/** Dora and Emil send each other what one of them has, twice at once: exactly one of the two arrives. */
async function race({ amends, url }: System<BankTransferService>, id: string): Promise<void> {
  const dora = { bank: url['bank-a'], account: 'dora' };
  const emil = { bank: url['bank-b'], account: 'emil' };
  const isWithDora = (await centsOf(dora)) === purse;
  const [from, to] = isWithDora ? [dora, emil] : [emil, dora];
  const rivals = [`${id}-1`, `${id}-2`];
  const sent = transfer(amends, { from, to, cents: purse, letters: url.letters });
  await Promise.all(rivals.map((gid) => insist(() => sent.submit({ gid }))));
  const ended = await Promise.all(rivals.map((gid) => waitForEnd(amends, gid)));
  expect(ended.map(({ outcome }) => outcome).toSorted()).toEqual(['failed', 'succeeded']);
  expect([await centsOf(from), await centsOf(to)]).toEqual([0, purse]);
}

async function centsOf({ bank, account }: { bank: string; account: string }): Promise<number> {
  return Number((await rows(`${bank}/accounts`)).find(({ name }) => name === account)?.cents);
}

async function bookkeeping({ url }: System<BankTransferService>): Promise<{ ann: number; bob: number; letters: number }> {
  const letters = (await rows(`${url.letters}/letters`)).length;
  return {
    ann: await centsOf({ bank: url['bank-a'], account: 'ann' }),
    bob: await centsOf({ bank: url['bank-b'], account: 'bob' }),
    letters,
  };
}

exerciseFailpoints(banks, plays);
