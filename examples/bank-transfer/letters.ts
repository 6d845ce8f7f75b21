/** The banks' post office. A letter that has been sent cannot be called back. */
import { parseArgs } from 'node:util';
import { barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'letters.db' } },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec('CREATE TABLE IF NOT EXISTS letter (recipient TEXT NOT NULL, text TEXT NOT NULL) STRICT');
const send = db.prepare('INSERT INTO letter (recipient, text) VALUES (:recipient, :text)');
const letters = db.prepare('SELECT recipient, text FROM letter ORDER BY rowid');

const app = Fastify();
app.post(
  '/notify',
  participant((call) => barrier(db, call, () => void send.run(call.body))),
);
app.get('/letters', () => letters.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`letters listens on ${address}`);
