/** What customers read: prices from Redis, filled from the catalogue when they are asked for. */
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

/** A price that nobody asks for is forgotten after this. Seconds. */
const keptS = 600;
/** After a change nothing is kept for so long: whoever has read the old price just before must not put it back. Seconds. */
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
    // As often as it is called: forgetting twice is forgetting once, so there is no barrier.
    await redis.set(`price:${body.product}`, forgotten, 'EX', quietS);
  }),
);

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`cache listens on ${address}`);
