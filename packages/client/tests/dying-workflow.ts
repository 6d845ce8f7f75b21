/**
 * `node dying-workflow.ts SERVER PORT DATABASE [GID]`: an application whose workflow books twice. With a gid it begins one, and
 * is killed in the second step, after its transaction was committed; without, it waits until the coordinator has what is left go
 * on.
 */
import { randomInt } from 'node:crypto';
import Database from 'better-sqlite3';
import Fastify from 'fastify';
import { sqliteBarrier } from '../src/barriers/sqlite/sqlite.ts';
import { AmendsClient } from '../src/client.ts';
import { participant } from '../src/participants/fastify.ts';

const [server = '', port = '', file = '', gid] = process.argv.slice(2);
const db = new Database(file);
db.exec('CREATE TABLE IF NOT EXISTS booking (what TEXT NOT NULL)');
const insert = db.prepare<[string]>('INSERT INTO booking VALUES (?)');
/** @returns a number that nobody can guess */
const book = (what: string) => ({ row: insert.run(what).changes, key: randomInt(2 ** 40) });
const bank = sqliteBarrier(db);

const client = new AmendsClient({ server });
const app = Fastify();
app.post('/resume', participant(client.resumeWorkflows()));
await app.listen({ host: '127.0.0.1', port: Number(port) });

const trip = client.workflow(
  'trip',
  async (w, guest: string) => {
    await w.do('flight', (call) => bank.run(call, () => book(`flight of ${guest}`)));
    return w.do('hotel', async (call) => {
      const room = await bank.run(call, () => book(`hotel of ${guest}`));
      if (gid !== undefined) process.kill(process.pid, 'SIGKILL');
      return room;
    });
  },
  { resume: `http://127.0.0.1:${port}/resume`, retryDelayMs: 1_000 },
);
if (gid !== undefined) await trip.run('ann', { gid });
