/** The booking desk asks patients to confirm. A patient may confirm or cancel, until the question is withdrawn. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier, Ongoing } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'desk.db' } },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(`CREATE TABLE IF NOT EXISTS question (
  booking TEXT PRIMARY KEY,
  patient TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('open', 'confirmed', 'cancelled', 'withdrawn'))
) STRICT`);
const ask = db.prepare(`INSERT INTO question (booking, patient, answer) VALUES (:booking, :patient, 'open')`);
const withdraw = db.prepare(`UPDATE question SET answer = 'withdrawn' WHERE booking = :booking AND answer <> 'cancelled'`);
const answer = db.prepare(`UPDATE question SET answer = :answer WHERE booking = :booking AND answer = 'open'`);
const answerTo = db.prepare<[string], string>('SELECT answer FROM question WHERE booking = ?').pluck();
const questions = db.prepare('SELECT booking, patient, answer FROM question ORDER BY booking');

const app = Fastify();

// What the saga calls.
app.post(
  '/ask',
  participant((call) => barrier(db, call, () => void ask.run(call.body))),
);
app.post(
  '/withdraw',
  participant((call) => barrier(db, call, () => void withdraw.run(call.body))),
);
app.post(
  '/answered',
  participant((call) => {
    const given = answerTo.get((call.body as { booking: string }).booking);
    if (given === 'open') throw new Ongoing('the patient has not answered yet');
    if (given !== 'confirmed') throw new BusinessFailure(`${given} by the patient`);
  }),
);

// What the patient calls.
app.post<{ Params: { booking: string; answer: 'confirmed' | 'cancelled' } }>(
  '/questions/:booking/:answer(^(?:confirmed|cancelled)$)',
  ({ params }, reply) => {
    if (answer.run(params).changes === 0) return reply.code(409).send({ message: `${params.booking} is not open` });
    return { booking: params.booking, answer: params.answer };
  },
);
app.get('/questions', () => questions.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`desk listens on ${address}`);
