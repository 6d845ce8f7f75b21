/**
 * `node dying-workflow.ts SERVER PORT DATABASE [GID]`: an application whose workflow books twice. With a gid it begins one, and is
 * killed in the middle of the second step; without, it waits until the coordinator has what is left go on.
 */
import Database from 'better-sqlite3';
import Fastify from 'fastify';
import { sqliteBarrier } from '../src/barrier.ts';
import { AmendsClient } from '../src/client.ts';
import { participant } from '../src/fastify.ts';

const [server = '', port = '', file = '', gid] = process.argv.slice(2);
const db = new Database(file);
db.exec('CREATE TABLE IF NOT EXISTS booking (what TEXT NOT NULL)');
const book = (what: string) => void db.prepare('INSERT INTO booking VALUES (?)').run(what);
const bank = sqliteBarrier(db);

const client = new AmendsClient({ server });
const app = Fastify();
app.post('/resume', participant(client.resumeWorkflows()));
await app.listen({ host: '127.0.0.1', port: Number(port) });

const trip = client.workflow(
  'trip',
  async (w, guest: string) => {
    await w.do('flight', (call) => bank.run(call, () => book(`flight of ${guest}`)));
    await w.do('hotel', async (call) => {
      await bank.run(call, () => book(`hotel of ${guest}`));
      if (gid !== undefined) process.kill(process.pid, 'SIGKILL');
    });
  },
  { resume: `http://127.0.0.1:${port}/resume`, retryDelayMs: 1_000 },
);
if (gid !== undefined) await trip.run('ann', { gid });
