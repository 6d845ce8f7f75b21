/** The orders, in a database that may be slow: they come as messages, so many can be sold at once. */
import { parseArgs } from 'node:util';
import { barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'orders.db' } },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec('CREATE TABLE IF NOT EXISTS "order" (id TEXT PRIMARY KEY, buyer TEXT NOT NULL, item TEXT NOT NULL) STRICT');
const insert = db.prepare('INSERT INTO "order" (id, buyer, item) VALUES (:order, :buyer, :item)');
const orders = db.prepare('SELECT id, buyer, item FROM "order" ORDER BY id');

const app = Fastify();
app.post(
  '/create',
  participant((call) => barrier(db, call, () => void insert.run(call.body as object))),
);
app.get('/orders', () => orders.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`orders listens on ${address}`);
