/**
 * Whoever dies while a transfer is tried, decided, confirmed or cancelled, and wherever: it is all or nothing, and nothing stays
 * set aside.
 */
import { expect } from 'vitest';
import { tccTransfer } from '../../examples/tcc-transfer/story.ts';
import { transfer } from '../../examples/tcc-transfer/transfer.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { rows, type System, waitForEnd } from './system.ts';

type TccTransferService = keyof typeof tccTransfer.services;

const plays: readonly Play<TccTransferService>[] = [
  { title: 'a transfer that both banks agree to', run: (system, id) => play(system, id, 'bob') },
  { title: 'a transfer that the other bank refuses', run: (system, id) => play(system, id, 'carl') },
];

async function play(system: System<TccTransferService>, id: string, recipient: string): Promise<void> {
  const { amends, url } = system;
  const before = await balances(system);
  const from = { bank: url['bank-a'], account: 'ann' };
  const to = { bank: url['bank-b'], account: recipient };
  const decided = await transfer(amends, { gid: id, from, to, cents: 1 }).then(
    () => true,
    () => false,
  );
  const { outcome } = await waitForEnd(amends, id);
  // A bank that dies while it tries has not agreed. What its caller was told is so.
  if (recipient === 'carl') expect(outcome).toBe('failed');
  if (decided) expect(outcome).toBe('succeeded');
  const moved = outcome === 'succeeded' ? 1 : 0;
  expect(await balances(system)).toEqual({ ann: before.ann - moved, bob: before.bob + moved });
}

/** What can be spent; nothing may be pending. */
async function balances({ url }: System<TccTransferService>): Promise<{ ann: number; bob: number }> {
  const all = [...(await rows(`${url['bank-a']}/accounts`)), ...(await rows(`${url['bank-b']}/accounts`))];
  for (const account of all) expect(account).toMatchObject({ leaving: 0, coming: 0 });
  const centsOf = (name: string) => Number(all.find((account) => account.name === name)?.cents);
  return { ann: centsOf('ann'), bob: centsOf('bob') };
}

exerciseFailpoints(tccTransfer, plays);
