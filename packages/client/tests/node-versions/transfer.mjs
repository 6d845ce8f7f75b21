/**
 * Run by every Node version that is supported, on what is published: an application and a participant with its own
 * database. Argument: address of the server. Prints how it ended.
 */
import { AmendsClient, barrier } from '@amends/client';
import '@amends/client/express';
import { participant } from '@amends/client/fastify';
import '@amends/client/hono';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const db = new Database(':memory:');
db.exec('CREATE TABLE entry (cents INTEGER NOT NULL)');
const enter = db.prepare('INSERT INTO entry VALUES (?)');

const app = Fastify();
app.post(
  '/debit',
  participant((call) => barrier(db, call, () => void enter.run(-call.body.cents))),
);
const bank = await app.listen({ host: '127.0.0.1', port: 0 });

const amends = new AmendsClient({ server: process.argv[2] });
const step = { action: `${bank}/debit`, compensate: `${bank}/debit`, payload: { cents: 30 } };
const { outcome } = await amends.saga().step(step).submit({ waitMs: 10_000 });
const entries = db.prepare('SELECT cents FROM entry').pluck().all();
process.stdout.write(JSON.stringify({ node: process.versions.node.split('.')[0], outcome, entries }));

await amends.close();
await app.close();
