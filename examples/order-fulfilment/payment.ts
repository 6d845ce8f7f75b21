/** Bills. Until the customer has paid, the question whether a bill is settled is answered "not yet". */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier, Ongoing } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'payment.db' } },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(`CREATE TABLE IF NOT EXISTS bill (
  id TEXT PRIMARY KEY,
  cents INTEGER NOT NULL CHECK (cents >= 0),
  state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'declined', 'cancelled', 'refunded'))
) STRICT`);
const issue = db.prepare(`INSERT INTO bill (id, cents, state) VALUES (:id, :cents, 'open')`);
const settle = db.prepare(`UPDATE bill SET state = :state WHERE id = :id AND state = 'open'`);
const undo = db.prepare(`UPDATE bill SET state = CASE state WHEN 'paid' THEN 'refunded' ELSE 'cancelled' END
  WHERE id = :id AND state IN ('open', 'paid')`);
const stateOf = db.prepare<[string], string>('SELECT state FROM bill WHERE id = ?').pluck();
const bills = db.prepare('SELECT id, cents, state FROM bill ORDER BY id');

const app = Fastify();

// What the saga calls.
app.post(
  '/bill',
  participant((call) => barrier(db, call, () => void issue.run(call.body))),
);
app.post(
  '/cancel',
  participant((call) => barrier(db, call, () => void undo.run(call.body))),
);
app.post(
  '/settled',
  participant((call) => {
    const state = stateOf.get((call.body as { id: string }).id);
    if (state === 'open') throw new Ongoing('not paid yet');
    if (state !== 'paid') throw new BusinessFailure(`the bill is ${state}`);
  }),
);

// What the customer's bank calls.
app.post<{ Params: { id: string; state: 'paid' | 'declined' } }>(
  '/bills/:id/:state(^(?:paid|declined)$)',
  ({ params }, reply) => {
    if (settle.run(params).changes === 0) return reply.code(409).send({ message: `bill ${params.id} is not open` });
    return { id: params.id, state: params.state };
  },
);
app.get('/bills', () => bills.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`payment listens on ${address}`);
