/**
 * The shop. Thousands may press the button at once, so a sale is only one script in Redis and two requests to the coordinator.
 */
import { parseArgs } from 'node:util';
import { AmendsClient, BusinessFailure } from '@amends/client';
import { participant } from '@amends/client/fastify';
import { redisBarrier } from '@amends/client/redis';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { type Sale, sell, stockKey } from './sell.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: '' }, // It has none of its own.
    server: { type: 'string', default: 'http://127.0.0.1:36789' },
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
  },
});

const redis = new Redis(options.redis);
const stock = redisBarrier(redis);
const amends = new AmendsClient({ server: options.server });

const app = Fastify();
app.put<{ Params: { item: string }; Body: { count: number } }>('/stock/:item', async ({ params, body }) => {
  await redis.set(stockKey(params.item), body.count);
  return {};
});
app.get<{ Params: { item: string } }>('/stock/:item', async ({ params }) => ({
  count: Number(await redis.get(stockKey(params.item))),
}));
app.post<{ Body: Sale & { orders: string } }>('/buy', async ({ body }, reply) => {
  try {
    await sell(amends, body, { stock, orders: body.orders, sold: `${app.listeningOrigin}/sold` });
    return reply.code(202).send({ order: body.order });
  } catch (error) {
    if (!(error instanceof BusinessFailure)) throw error;
    return reply.code(409).send({ reason: 'sold out' });
  }
});
app.get(
  '/sold',
  participant((call) => stock.queryPrepared(call)),
);

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`shop listens on ${address}`);
