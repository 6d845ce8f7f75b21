/** Stories of a sale: one order, ten buyers for what is left, and an order that finds nobody at home. */
import assert from 'node:assert/strict';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';

type Service = 'shop' | 'orders';

const pieces = 4;
const run = Date.now().toString(36);
/** Redis may hold the sales of earlier runs. */
const item = `lamp-${run}`;

/** A shop with its stock in Redis, and the orders. */
export const flashSale: Example<Service> = {
  name: 'flash-sale',
  databases: ['redis'],
  services: {
    shop: { script: 'shop.ts', asksServer: true, uses: ['redis'] },
    orders: { script: 'orders.ts' },
  },
  stories: [
    {
      title: `Four lamps are on sale; Ann buys one`,
      async play(stage) {
        const body = JSON.stringify({ count: pieces });
        await fetch(`${stage.url.shop}/stock/${item}`, { method: 'PUT', headers, body });
        assert.equal((await buy(stage, { order: `ann-${run}`, buyer: 'ann', item })).status, 202);
        return ending(stage, `ann-${run}`, 'succeeded', { left: 3, orders: 1 });
      },
    },
    {
      title: 'Ten buyers want one of the three that are left, at once: three have an order, seven are told that it is sold out',
      async play(stage) {
        const buyers = Array.from({ length: 10 }, (_, index) => ({ order: `b${index}-${run}`, buyer: `b${index}`, item }));
        const told = await Promise.all(buyers.map(async (wish) => (await buy(stage, wish)).status));
        assert.deepEqual(told.toSorted(), [202, 202, 202, 409, 409, 409, 409, 409, 409, 409]);
        const sold = buyers.filter((_, index) => told[index] === 202).map(({ order }) => order);
        await Promise.all(sold.map((gid) => stage.amends.wait(gid, { waitMs: 20_000 })));
        const refused = buyers.find((_, index) => told[index] === 409)!;
        return ending(stage, refused.order, 'failed', { left: 0, orders: 4 });
      },
    },
    {
      title: 'One lamp comes back and Carl buys it, while the power of the orders is cut',
      async play(stage) {
        const body = JSON.stringify({ count: 1 });
        await fetch(`${stage.url.shop}/stock/${item}`, { method: 'PUT', headers, body });
        await stage.kill('orders');
        const order = `carl-${run}`;
        assert.equal((await buy(stage, { order, buyer: 'carl', item })).status, 202);
        await stage.missed(order);
        await stage.restart('orders');
        return ending(stage, order, 'succeeded', { left: 0, orders: 5 });
      },
    },
  ],
};

const headers = { 'content-type': 'application/json' };

/** Presses the button. */
export function buy(
  { url }: Pick<Stage<Service>, 'url'>,
  wish: { order: string; buyer: string; item: string },
): Promise<Response> {
  const body = JSON.stringify({ ...wish, orders: url.orders });
  return fetch(`${url.shop}/buy`, { method: 'POST', headers, body });
}

async function ending(
  { amends, url }: Stage<Service>,
  gid: string,
  outcome: 'succeeded' | 'failed',
  told: { readonly left: number; readonly orders: number },
) {
  assert.equal((await amends.wait(gid, { waitMs: 20_000 })).outcome, outcome);
  const { count: left } = (await (await fetch(`${url.shop}/stock/${item}`)).json()) as { readonly count: number };
  const orders = ((await (await fetch(`${url.orders}/orders`)).json()) as { readonly item: string }[]).filter(
    (order) => order.item === item,
  );
  assert.deepEqual({ left, orders: orders.length }, told);
  return { gid, state: { ...told } };
}

if (import.meta.main) await tell(flashSale);
