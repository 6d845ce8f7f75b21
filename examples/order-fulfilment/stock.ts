/** The warehouse. Goods that are reserved for one order cannot be reserved for another, so nothing is sold twice. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: 'stock.db' },
    // `--item lamp=10` sets the stock of an item, unless the database has it already.
    item: { type: 'string', multiple: true, default: [] },
  },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(`CREATE TABLE IF NOT EXISTS stock (
  item TEXT PRIMARY KEY,
  available INTEGER NOT NULL CHECK (available >= 0),
  reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  shipped INTEGER NOT NULL DEFAULT 0 CHECK (shipped >= 0)
) STRICT`);
const stockUp = db.prepare('INSERT OR IGNORE INTO stock (item, available) VALUES (?, ?)');
const reserve = db.prepare(`UPDATE stock SET available = available - :count, reserved = reserved + :count
  WHERE item = :item AND available >= :count`);
const release = db.prepare('UPDATE stock SET available = available + :count, reserved = reserved - :count WHERE item = :item');
const handOver = db.prepare('UPDATE stock SET reserved = reserved - :count, shipped = shipped + :count WHERE item = :item');
const stock = db.prepare('SELECT item, available, reserved, shipped FROM stock ORDER BY item');
for (const item of options.item) stockUp.run(item.split('='));

/** What an order asks of the warehouse. */
interface Line {
  readonly item: string;
  readonly count: number;
}

const app = Fastify();
app.post(
  '/reserve',
  participant((call) =>
    barrier(db, call, () => {
      const line = call.body as Line;
      if (!Number.isSafeInteger(line.count) || line.count <= 0) throw new BusinessFailure(`${line.count} is no number of pieces`);
      if (reserve.run(line).changes === 0) throw new BusinessFailure(`fewer than ${line.count} of ${line.item} left`);
    }),
  ),
);
app.post(
  '/release',
  participant((call) => barrier(db, call, () => void release.run(call.body))),
);
app.post(
  '/hand-over',
  participant((call) => barrier(db, call, () => void handOver.run(call.body))),
);
app.get('/stock', () => stock.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`stock listens on ${address}`);
