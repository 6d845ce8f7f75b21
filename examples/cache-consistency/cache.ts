/** The cache that customers read: prices in Redis, fetched from the catalogue when they are asked for. */
import { parseArgs } from 'node:util';
import { participant } from '@amends/client/fastify';
import Fastify from 'fastify';
import { Redis } from 'ioredis';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '4001' },
    db: { type: 'string', default: '' }, // It has none of its own.
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
  },
});

/** How long a price is kept. Seconds. */
const keptS = 600;
/** How long nothing is kept after a change, so that a reader that has just read the old price does not put it back. Seconds. */
const quietS = 1;
const forgotten = '';

const redis = new Redis(options.redis);
const app = Fastify();
app.get<{ Params: { product: string }; Querystring: { catalogue: string } }>('/price/:product', async ({ params, query }) => {
  const key = `price:${params.product}`;
  const known = await redis.get(key);
  if (known !== null && known !== forgotten) return { cents: Number(known), cached: true };
  const answer = await fetch(`${query.catalogue}/price/${encodeURIComponent(params.product)}`);
  const { cents } = (await answer.json()) as { readonly cents: number | null };
  if (cents !== null) await redis.set(key, cents, 'EX', keptS, 'NX');
  return { cents, cached: false };
});
app.post(
  '/forget',
  participant<{ product: string }>(async ({ body }) => {
    // There is no barrier, because a repeated deletion does no harm.
    await redis.set(`price:${body.product}`, forgotten, 'EX', quietS);
  }),
);

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`cache listens on ${address}`);
