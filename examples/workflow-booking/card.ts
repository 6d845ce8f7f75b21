/** The guests' cards: charged within their limits. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: 'card.db' },
    limit: { type: 'string', default: '100000' },
  },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(
  'CREATE TABLE IF NOT EXISTS charge (trip TEXT PRIMARY KEY, guest TEXT NOT NULL, cents INTEGER NOT NULL CHECK (cents > 0)) STRICT',
);
const spent = db.prepare('SELECT coalesce(sum(cents), 0) FROM charge WHERE guest = ?').pluck();
const charge = db.prepare('INSERT INTO charge (trip, guest, cents) VALUES (:trip, :guest, :cents)');
const charges = db.prepare('SELECT trip, guest, cents FROM charge ORDER BY trip');

/** What is to be paid. */
interface Bill {
  readonly trip: string;
  readonly guest: string;
  readonly cents: number;
}

function pay(bill: Bill): void {
  if (Number(spent.get(bill.guest)) + bill.cents > Number(options.limit))
    throw new BusinessFailure(`the limit of ${bill.guest} is reached`);
  charge.run(bill);
}

const app = Fastify();
app.post(
  '/charge',
  participant<Bill>((call) => barrier(db, call, () => pay(call.body))),
);
app.get('/charges', () => charges.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`card listens on ${address}`);
