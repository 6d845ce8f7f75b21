/** Stories of orders: paid and shipped, sold out, never paid, and a payment service whose power is cut. */
import assert from 'node:assert/strict';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';
import { until } from '../stage/until.ts';
import { fulfil } from './fulfil.ts';

type Service = 'orders' | 'stock' | 'payment' | 'shipping';

/** A shop with ten lamps. */
export const orderFulfilment: Example<Service> = {
  name: 'order-fulfilment',
  services: {
    orders: { script: 'orders.ts' },
    stock: { script: 'stock.ts', args: ['--item', 'lamp=10'] },
    payment: { script: 'payment.ts' },
    shipping: { script: 'shipping.ts' },
  },
  stories: [
    {
      title: 'Two lamps are ordered, paid and shipped',
      async play(stage) {
        const { gid } = await order(stage, 'order-1', 2).submit();
        await pay(stage, 'order-1');
        return ending(stage, gid, 'succeeded', {
          lamps: '8 available, 0 reserved, 2 shipped',
          'order-1': 'completed, bill paid, parcel sent',
        });
      },
    },
    {
      title: 'Two customers want five lamps each, eight are left: one of them gets none, and nothing is oversold',
      async play(stage) {
        const first = await order(stage, 'order-2', 5).submit();
        await waitForBill(stage, 'order-2');
        const second = await order(stage, 'order-3', 5).submit({ waitMs: 10_000 });
        assert.equal(second.outcome, 'failed');
        await pay(stage, 'order-2');
        await stage.amends.wait(first.gid, { waitMs: 10_000 });
        return ending(stage, second.gid, 'failed', {
          lamps: '3 available, 0 reserved, 7 shipped',
          'order-2': 'completed, bill paid, parcel sent',
          'order-3': 'cancelled, no bill, no parcel',
        });
      },
    },
    {
      title: 'Three lamps are ordered and never paid: in time they are for sale again',
      async play(stage) {
        const { gid } = await order(stage, 'order-4', 3, 600).submit();
        return ending(stage, gid, 'failed', {
          lamps: '3 available, 0 reserved, 7 shipped',
          'order-4': 'cancelled, bill cancelled, no parcel',
        });
      },
    },
    {
      title: 'The power of the payment service is cut while an order waits to be paid',
      async play(stage) {
        const { gid } = await order(stage, 'order-5', 1).submit();
        await waitForBill(stage, 'order-5');
        await stage.kill('payment');
        await stage.missed(gid);
        await stage.restart('payment');
        await pay(stage, 'order-5');
        return ending(stage, gid, 'succeeded', {
          lamps: '2 available, 0 reserved, 8 shipped',
          'order-5': 'completed, bill paid, parcel sent',
        });
      },
    },
  ],
};

function order({ amends, url }: Stage<Service>, id: string, count: number, payWithinMs = 15_000) {
  return fulfil(amends, url, { id, item: 'lamp', count, cents: count * 2_990, address: '1 Harbour Street', payWithinMs });
}

/** Waits until the customer has a bill. */
async function waitForBill({ url }: Stage<Service>, id: string): Promise<void> {
  await until(`a bill for ${id}`, async () => (await read(`${url.payment}/bills`)).some((bill) => bill.id === id));
}

async function pay(stage: Stage<Service>, id: string): Promise<void> {
  await waitForBill(stage, id);
  const paid = await fetch(`${stage.url.payment}/bills/${id}/paid`, { method: 'POST' });
  assert.equal(paid.status, 200);
}

/** Waits for the end of the transaction, and asserts that it and the shop are as told. */
async function ending(stage: Stage<Service>, gid: string, outcome: string, told: Record<string, string>) {
  const ended = await stage.amends.wait(gid, { waitMs: 20_000 });
  assert.equal(ended.outcome, outcome);
  const state: Record<string, string> = {};
  for (const name of Object.keys(told)) state[name] = name === 'lamps' ? await lamps(stage) : await orderState(stage, name);
  assert.deepEqual(state, told);
  return { gid, state };
}

async function lamps({ url }: Stage<Service>): Promise<string> {
  const [stock] = await read(`${url.stock}/stock`);
  return `${stock?.available} available, ${stock?.reserved} reserved, ${stock?.shipped} shipped`;
}

async function orderState({ url }: Stage<Service>, id: string): Promise<string> {
  const [orders, bills, parcels] = await Promise.all(
    [`${url.orders}/orders`, `${url.payment}/bills`, `${url.shipping}/parcels`].map(read),
  );
  const of = (rows?: Row[]) => rows?.find((row) => row.id === id);
  const bill = of(bills);
  return `${of(orders)?.state}, ${bill ? `bill ${bill.state}` : 'no bill'}, ${of(parcels) ? 'parcel sent' : 'no parcel'}`;
}

type Row = Readonly<Record<string, string | number>>;

async function read(url: string): Promise<Row[]> {
  return (await (await fetch(url)).json()) as Row[];
}

if (import.meta.main) await tell(orderFulfilment);
