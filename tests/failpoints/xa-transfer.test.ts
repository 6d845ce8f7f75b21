/**
 * Whoever dies while a transfer is prepared, decided, committed or rolled back, and wherever: it is all or nothing, and nothing
 * stays prepared.
 */
import { expect } from 'vitest';
import { xaTransfer } from '../../examples/xa-transfer/story.ts';
import { transfer } from '../../examples/xa-transfer/transfer.ts';
import { describeWith } from '../../tools/services/service.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { insist, rows, type System, waitForEnd } from './system.ts';

type XaTransferService = keyof typeof xaTransfer.services;

const plays: readonly Play<XaTransferService>[] = [
  { title: 'a transfer that both banks agree to', run: (system, id) => play(system, id, 'bob') },
  { title: 'a transfer that the other bank refuses', run: (system, id) => play(system, id, 'carl') },
];

async function play(system: System<XaTransferService>, title: string, recipient: string): Promise<void> {
  const { amends, url } = system;
  const id = title.replaceAll(' ', '-');
  const before = await balances(system);
  const from = { bank: url['bank-a'], account: 'ann' };
  const to = { bank: url['bank-b'], account: recipient };
  const decided = await transfer(amends, { gid: id, from, to, cents: 1 }).then(
    () => true,
    () => false,
  );
  const { outcome } = await waitForEnd(amends, id);
  // A bank that dies in the first phase has not agreed. What its caller was told is so.
  if (recipient === 'carl') expect(outcome).toBe('failed');
  if (decided) expect(outcome).toBe('succeeded');
  const moved = outcome === 'succeeded' ? 1 : 0;
  expect(await balances(system)).toEqual({ ann: before.ann - moved, bob: before.bob + moved });
  const prepared = await insist(async () => (await (await fetch(`${url['bank-a']}/prepared`)).json()) as { gid: string }[]);
  expect(prepared.filter(({ gid }) => gid === id)).toEqual([]);
}

async function balances({ url }: System<XaTransferService>): Promise<{ ann: number; bob: number }> {
  const [ann, bob] = await Promise.all([rows(`${url['bank-a']}/accounts`), rows(`${url['bank-b']}/accounts`)]);
  return { ann: Number(ann[0]?.cents), bob: Number(bob[0]?.cents) };
}

await describeWith('postgres', 'with Postgres', (postgres) => exerciseFailpoints(xaTransfer, plays, { postgres }));
