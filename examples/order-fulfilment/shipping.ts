/** The carrier. It may refuse a parcel, but does not stop one that it has taken. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'shipping.db' } },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec('CREATE TABLE IF NOT EXISTS parcel (id TEXT PRIMARY KEY, address TEXT NOT NULL) STRICT');
const dispatch = db.prepare('INSERT INTO parcel (id, address) VALUES (:id, :address)');
const parcels = db.prepare('SELECT id, address FROM parcel ORDER BY id');

const app = Fastify();
app.post(
  '/ship',
  participant((call) =>
    barrier(db, call, () => {
      const { id, address } = call.body as { id: string; address: string };
      if (address === '') throw new BusinessFailure('a parcel needs an address');
      dispatch.run({ id, address });
    }),
  ),
);
app.get('/parcels', () => parcels.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`shipping listens on ${address}`);
