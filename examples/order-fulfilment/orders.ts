/** The shop's orders and what becomes of them. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'orders.db' } },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(`CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY,
  item TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count > 0),
  cents INTEGER NOT NULL CHECK (cents >= 0),
  state TEXT NOT NULL CHECK (state IN ('open', 'cancelled', 'completed'))
) STRICT`);
const place = db.prepare(`INSERT INTO orders (id, item, count, cents, state) VALUES (:id, :item, :count, :cents, 'open')
  ON CONFLICT (id) DO NOTHING`);
const cancel = db.prepare(`UPDATE orders SET state = 'cancelled' WHERE id = :id AND state = 'open'`);
const complete = db.prepare(`UPDATE orders SET state = 'completed' WHERE id = :id AND state = 'open'`);
const orders = db.prepare('SELECT * FROM orders ORDER BY id');

const app = Fastify();
app.post(
  '/place',
  participant((call) =>
    barrier(db, call, () => {
      const { id, count } = call.body as { id: string; count: number };
      if (!Number.isSafeInteger(count) || count <= 0) throw new BusinessFailure(`${count} is no number of pieces`);
      if (place.run(call.body).changes === 0) throw new BusinessFailure(`there is an order ${id} already`);
    }),
  ),
);
app.post(
  '/cancel',
  participant((call) => barrier(db, call, () => void cancel.run(call.body))),
);
app.post(
  '/complete',
  participant((call) => barrier(db, call, () => void complete.run(call.body))),
);
app.get('/orders', () => orders.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`orders listens on ${address}`);
