/** Patients' records: who may read them. Access is granted for a booking and ends with it. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'records.db' } },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec('CREATE TABLE IF NOT EXISTS access (booking TEXT PRIMARY KEY, patient TEXT NOT NULL, doctor TEXT NOT NULL) STRICT');
const grant = db.prepare(`INSERT INTO access (booking, patient, doctor) VALUES (:booking, :patient, :doctor)
  ON CONFLICT (booking) DO NOTHING`);
const revoke = db.prepare('DELETE FROM access WHERE booking = :booking');
const accesses = db.prepare('SELECT booking, patient, doctor FROM access ORDER BY booking');

const app = Fastify();
app.post(
  '/grant',
  participant((call) =>
    barrier(db, call, () => {
      const { booking } = call.body as { booking: string };
      if (grant.run(call.body).changes === 0) throw new BusinessFailure(`there is a booking ${booking} already`);
    }),
  ),
);
app.post(
  '/revoke',
  participant((call) => barrier(db, call, () => void revoke.run(call.body))),
);
app.get('/accesses', () => accesses.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`records listens on ${address}`);
