/** The catalogue: prices in its own database, which is always right. */
import { parseArgs } from 'node:util';
import { AmendsClient, BusinessFailure, sqliteBarrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';
import { type Change, changePrice } from './price.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: 'catalogue.db' },
    server: { type: 'string', default: 'http://127.0.0.1:36789' },
  },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec('CREATE TABLE IF NOT EXISTS price (product TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents > 0)) STRICT');
const priceOf = db.prepare('SELECT cents FROM price WHERE product = ?').pluck();
const prices = sqliteBarrier(db);
const amends = new AmendsClient({ server: options.server });

const app = Fastify();
app.post<{ Body: Change & { cache: string } }>('/price', async ({ body }, reply) => {
  try {
    await changePrice(amends, body, { db: prices, cache: body.cache, changed: `${app.listeningOrigin}/changed` });
    return reply.code(202).send({ change: body.change });
  } catch (error) {
    if (!(error instanceof BusinessFailure)) throw error;
    return reply.code(409).send({ reason: error.message });
  }
});
app.get(
  '/changed',
  participant((call) => prices.queryPrepared(call)),
);
app.get<{ Params: { product: string } }>('/price/:product', ({ params }) => ({ cents: priceOf.get(params.product) ?? null }));

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`catalogue listens on ${address}`);
