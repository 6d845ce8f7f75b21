/**
 * Whoever dies while an order is fulfilled, and wherever: nothing is oversold, nothing stays reserved, nothing is paid for twice.
 */
import { expect } from 'vitest';
import { fulfil } from '../../examples/order-fulfilment/fulfil.ts';
import { orderFulfilment } from '../../examples/order-fulfilment/story.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { insist, rows, type System, waitForEnd } from './system.ts';

type OrderFulfilmentService = keyof typeof orderFulfilment.services;

/** More lamps than all plays together can sell. */
const lamps = 10_000;
const shop = {
  ...orderFulfilment,
  services: { ...orderFulfilment.services, stock: { script: 'stock.ts', args: ['--item', `lamp=${lamps}`] } },
};

const plays: readonly Play<OrderFulfilmentService>[] = [
  { title: 'an order that is paid and shipped', run: (system, id) => play(system, id, '1 Harbour Street') },
  { title: 'a paid order that the carrier refuses', run: (system, id) => play(system, id, '') },
];

async function play({ amends, url }: System<OrderFulfilmentService>, id: string, address: string): Promise<void> {
  const shippedBefore = await countShipped(url.stock);
  const order = { id, item: 'lamp', count: 2, cents: 5_980, address, payWithinMs: 60_000 };
  await insist(() => fulfil(amends, url, order).submit({ gid: id }));
  await insist(() => pay(url.payment, id));
  const { outcome } = await waitForEnd(amends, id);
  const happens = address !== '';
  expect(outcome).toBe(happens ? 'succeeded' : 'failed');
  expect(await find(`${url.orders}/orders`, id)).toMatchObject({ state: happens ? 'completed' : 'cancelled' });
  expect(await find(`${url.payment}/bills`, id)).toMatchObject({ state: happens ? 'paid' : 'refunded' });
  expect(await find(`${url.shipping}/parcels`, id)).toEqual(happens ? { id, address } : undefined);
  const sold = shippedBefore + (happens ? 2 : 0);
  expect(await rows(`${url.stock}/stock`)).toEqual([{ item: 'lamp', available: lamps - sold, reserved: 0, shipped: sold }]);
}

async function pay(payment: string, id: string): Promise<void> {
  const bill = await find(`${payment}/bills`, id);
  // Whose answer was lost finds the bill paid, or refunded by now, because the order went on meanwhile.
  if (bill?.state === 'paid' || bill?.state === 'refunded') return;
  const { status } = await fetch(`${payment}/bills/${encodeURIComponent(id)}/paid`, { method: 'POST' });
  if (status !== 200) throw new Error(`${id} cannot be paid yet`);
}

async function find(url: string, id: string) {
  return (await rows(url)).find((row) => row.id === id);
}

async function countShipped(stock: string): Promise<number> {
  return Number((await rows(`${stock}/stock`))[0]?.shipped);
}

exerciseFailpoints(shop, plays);
