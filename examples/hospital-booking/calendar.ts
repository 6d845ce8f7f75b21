/** The calendar of doctors, or of devices. An hour is held first, and then booked or released. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'doctors' },
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: 'calendar.db' },
  },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(`CREATE TABLE IF NOT EXISTS slot (
  resource TEXT NOT NULL,
  time TEXT NOT NULL,
  booking TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('held', 'booked')),
  PRIMARY KEY (resource, time)
) STRICT`);
const hold = db.prepare(`INSERT INTO slot (resource, time, booking, state) VALUES (:resource, :time, :booking, 'held')
  ON CONFLICT DO NOTHING`);
const mine = 'resource = :resource AND time = :time AND booking = :booking';
const release = db.prepare(`DELETE FROM slot WHERE ${mine}`);
const book = db.prepare(`UPDATE slot SET state = 'booked' WHERE ${mine}`);
const slots = db.prepare('SELECT resource, time, booking, state FROM slot ORDER BY time, resource');

/** What a booking asks of a calendar. */
interface Slot {
  readonly resource: string;
  readonly time: string;
  readonly booking: string;
}

const app = Fastify();
app.post(
  '/hold',
  participant((call) =>
    barrier(db, call, () => {
      const slot = call.body as Slot;
      if (hold.run(slot).changes === 0) throw new BusinessFailure(`${slot.resource} is taken at ${slot.time}`);
    }),
  ),
);
app.post(
  '/release',
  participant((call) => barrier(db, call, () => void release.run(call.body))),
);
app.post(
  '/book',
  participant((call) => barrier(db, call, () => void book.run(call.body))),
);
app.get('/slots', () => slots.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`${options.name} listens on ${address}`);
