/** Whoever dies during a transfer, and wherever: the money stays as it was in sum, and moves once or not at all. */
import { expect } from 'vitest';
import { bankTransfer } from '../../examples/bank-transfer/story.ts';
import { transfer } from '../../examples/bank-transfer/transfer.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { finished, insist, rows, type System } from './system.ts';

type Service = keyof typeof bankTransfer.services;

const total = 15_000;

const plays: readonly Play<Service>[] = [
  { title: 'a transfer that succeeds', run: (system, id) => play(system, id, 'bob') },
  { title: 'a transfer that the other bank refuses', untouched: ['letters'], run: (system, id) => play(system, id, 'carl') },
];

async function play(system: System<Service>, id: string, recipient: string): Promise<void> {
  const { amends, url } = system;
  const before = await bookkeeping(system);
  const from = { bank: url['bank-a'], account: 'ann' };
  const to = { bank: url['bank-b'], account: recipient };
  await insist(() => transfer(amends, { from, to, cents: 1, letters: url.letters }).submit({ gid: id }));
  const { outcome } = await finished(amends, id);
  const after = await bookkeeping(system);
  const moved = recipient === 'bob' ? 1 : 0;
  expect(outcome).toBe(moved === 1 ? 'succeeded' : 'failed');
  expect(after).toEqual({ ann: before.ann - moved, bob: before.bob + moved, letters: before.letters + moved });
  expect(after.ann + after.bob).toBe(total);
}

async function bookkeeping({ url }: System<Service>): Promise<{ ann: number; bob: number; letters: number }> {
  const cents = async (bank: string) => Number((await rows(`${bank}/accounts`))[0]?.cents);
  const letters = (await rows(`${url.letters}/letters`)).length;
  return { ann: await cents(url['bank-a']), bob: await cents(url['bank-b']), letters };
}

exerciseFailpoints(bankTransfer, plays);
