/** Whoever dies during a sale, and wherever: what has left the stock has an order, and nothing is sold twice. */
import { expect } from 'vitest';
import { buy, flashSale } from '../../examples/flash-sale/story.ts';
import { describeWith } from '../../tools/services/service.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { insist, rows, type System, waitForEnd } from './system.ts';

type FlashSaleService = keyof typeof flashSale.services;

const plays: readonly Play<FlashSaleService>[] = [
  { title: 'two buyers of the last piece', run: (system, id) => play(system, id, 1) },
  { title: 'a buyer who comes too late', untouched: ['orders'], run: (system, id) => play(system, id, 0) },
];

async function play(system: System<FlashSaleService>, id: string, pieces: number): Promise<void> {
  const { amends, url } = system;
  const stock = `${url.shop}/stock/${encodeURIComponent(id)}`;
  const headers = { 'content-type': 'application/json' };
  await insist(() => fetch(stock, { method: 'PUT', headers, body: JSON.stringify({ count: pieces }) }));
  const buyers = pieces === 0 ? [`${id}-late`] : [`${id}-1`, `${id}-2`];
  const told = await Promise.all(buyers.map((order) => press(system, order, id)));
  const ended = await Promise.all(buyers.map((order) => waitForEnd(amends, order)));
  const sold = ended.filter(({ outcome }) => outcome === 'succeeded').length;
  const orders = (await rows(`${url.orders}/orders`)).filter((order) => order.item === id);
  const { count: left } = await insist(async () => (await (await fetch(stock)).json()) as { count: number });
  expect({ orders: orders.length, left }).toEqual({ orders: sold, left: pieces - sold });
  // What a buyer was told is so.
  told.forEach((status, index) => {
    if (status === 202) expect(ended[index]!.outcome).toBe('succeeded');
    if (status === 409) expect(ended[index]!.outcome).toBe('failed');
  });
}

/** Presses the button until there is an answer. */
function press(system: System<FlashSaleService>, order: string, item: string): Promise<number> {
  return insist(async () => {
    const { status } = await buy(system, { order, buyer: 'ann', item });
    if (status !== 202 && status !== 409) {
      // An order that was given up while the shop was away stays so.
      const known = await system.amends.get(order);
      if (known.outcome === 'running') throw new Error(`${order} is open`);
    }
    return status;
  });
}

await describeWith('redis', 'with Redis', (redis) => exerciseFailpoints(flashSale, plays, { redis }));
