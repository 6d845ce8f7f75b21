/** The travel desk: takes orders and runs the workflow. It may die at any moment; the coordinator has it go on. */
import { parseArgs } from 'node:util';
import { AmendsClient, BusinessFailure } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';
import { type Trip, tripTable, tripWorkflow } from './trip.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: 'desk.db' },
    server: { type: 'string', default: 'http://127.0.0.1:36789' },
  },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
db.exec(tripTable);
const trips = db.prepare('SELECT trip, guest, state FROM trip ORDER BY trip');

const amends = new AmendsClient({ server: options.server });

const app = Fastify();
app.post<{ Body: Trip }>('/trips', async ({ body }, reply) => {
  try {
    return await trip.run(body, { gid: body.trip });
  } catch (error) {
    if (!(error instanceof BusinessFailure)) throw error; // The coordinator has it go on.
    return reply.code(409).send({ reason: error.message });
  }
});
app.post('/resume', participant(amends.resumeWorkflows()));
app.get('/trips', () => trips.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
// Before it listens it does not know its own address.
const trip = tripWorkflow(amends, db, `${address}/resume`);
console.log(`desk listens on ${address}`);
