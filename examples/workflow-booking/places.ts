/** A house with places to book: rooms of a hotel, seats of an airline. A place is free or belongs to one trip. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'hotel' },
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: 'places.db' },
    // `--offer Lisbon=2` offers so many places there, unless the database has them already.
    offer: { type: 'string', multiple: true, default: [] },
  },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(`CREATE TABLE IF NOT EXISTS place (
  city TEXT NOT NULL,
  number INTEGER NOT NULL,
  trip TEXT UNIQUE,
  PRIMARY KEY (city, number)
) STRICT`);
const offer = db.prepare('INSERT OR IGNORE INTO place (city, number) VALUES (?, ?)');
const firstFree = db.prepare('SELECT number FROM place WHERE city = ? AND trip IS NULL ORDER BY number').pluck();
const take = db.prepare('UPDATE place SET trip = :trip WHERE city = :city AND number = :number');
const free = db.prepare('UPDATE place SET trip = NULL WHERE trip = ?');
const placeOf = db.prepare('SELECT number FROM place WHERE trip = ?').pluck();
const places = db.prepare('SELECT city, number, trip FROM place ORDER BY city, number');
for (const [city, count] of options.offer.map((each) => each.split('=')))
  for (let number = 1; number <= Number(count); number++) offer.run(city, number);

/** What a trip asks of a house. */
interface Wish {
  readonly trip: string;
  readonly place: string;
}

function book({ trip, place: city }: Wish): void {
  const number = firstFree.get(city) as number | undefined;
  if (number === undefined) throw new BusinessFailure(`${options.name}: nothing is free in ${city}`);
  take.run({ trip, city, number });
}

const app = Fastify();
app.post(
  '/book',
  participant<Wish>((call) => {
    barrier(db, call, () => book(call.body));
    // Asked again, it answers as before.
    return { place: `${call.body.place} ${placeOf.get(call.body.trip)}` };
  }),
);
app.post(
  '/cancel',
  participant<Wish>((call) => barrier(db, call, () => void free.run(call.body.trip))),
);
app.get('/places', () => places.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`${options.name} listens on ${address}`);
