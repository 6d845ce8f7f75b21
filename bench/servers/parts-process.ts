/**
 * A process: the parts of a durable saga without what decides about it, so that it shows what they alone cost.
 * `http`: the server's own HTTP on both sides, Fastify and the coordinator's transport; nothing is stored.
 * `thread`: also, for each commit of such a saga, a batch goes to a thread, which answers half a millisecond later and does
 *   nothing. `store`: the same batches are durable commits of the SQLite store, always of the same content.
 * Arguments: which, the URLs of the two participants, the body, the database file.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { type BranchCall, createCoordinator, httpTransport } from '@amends/coordinator';
import type { Gid, Outcome } from '@amends/core';
import { type AnyChange, type Change, decorated, openMemoryStore } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';
import { makeDtmSpec, parseDtmTransaction } from '@amends/wire/dtm';
import type { fastify } from 'fastify';

type Fastify = typeof fastify;
type Commit = (changes: readonly AnyChange[]) => Promise<unknown>;

// The one that the server has.
const Fastify = createRequire(new URL('../../packages/server/package.json', import.meta.url))('fastify') as Fastify;
const [which, first, second, payload, file] = process.argv.slice(2) as [string, string, string, string, string];
const transport = httpTransport();
const agreed: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };
const { changes, calls } = await recordSaga();
const gather = which === 'http' ? null : which === 'thread' ? throughThread() : await throughStore();

const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/api/dtmsvr/submit', async (request) => {
  const { gid } = JSON.parse(String(request.body)) as { readonly gid: Gid };
  const [begin, ...others] = changes;
  await commit(gid, begin!);
  for (const [index, call] of calls.entries()) {
    const outcome = await transport.call({ ...call, gid });
    if (outcome.class !== 'success') throw new Error(`${outcome.code} ${outcome.detail}`);
    // As many commits lie between the calls as there are beside the first and the last.
    if (index < others.length - 1) await commit(gid, others[index]!);
  }
  await commit(gid, others.at(-1)!);
  return { dtm_result: 'SUCCESS' };
});
process.send!({ url: await app.listen({ host: '127.0.0.1', port: 0 }) });

// Group commit as the coordinator does it: one batch under way, what is ready in one turn goes together.
interface Waiting {
  readonly change: Change;
  done(): void;
}

let queue: Waiting[] = [];
let busy = false;

function commit(gid: Gid, change: Change): Promise<void> | undefined {
  if (gather === null) return undefined;
  return new Promise((done) => {
    queue.push({ change: { ...change, row: { ...change.row, gid } }, done });
    if (!busy && queue.length === 1) setImmediate(flush);
  });
}

async function flush(): Promise<void> {
  const batch = queue;
  queue = [];
  busy = true;
  await gather!(batch.map(({ change }) => change));
  busy = false;
  for (const { done } of batch) done();
  if (queue.length > 0) setImmediate(flush);
}

function throughThread(): Commit {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const nothing = new Int32Array(new SharedArrayBuffer(4));
     parentPort.on('message', () => { Atomics.wait(nothing, 0, 0, 0.5); parentPort.postMessage(null); });`,
    { eval: true },
  );
  return (batch) =>
    new Promise((done) => {
      worker.once('message', done);
      worker.postMessage(batch.map(({ row }) => row?.gid));
    });
}

async function throughStore(): Promise<Commit> {
  const store = await openSqliteStore({ path: file });
  return (batch) => store.commit(batch);
}

/** What the coordinator makes of such a saga: its changes, caught on their way to a store, and its calls. */
async function recordSaga(): Promise<{ readonly changes: readonly Change[]; readonly calls: readonly BranchCall[] }> {
  const changes: Change[] = [];
  const calls: BranchCall[] = [];
  const memory = openMemoryStore();
  const store = decorated(memory, {
    commit(batch) {
      changes.push(...(batch as readonly Change[]));
      return memory.commit(batch);
    },
  });
  const call = async (request: BranchCall) => {
    calls.push(request);
    return agreed;
  };
  const coordinator = createCoordinator({ store, transport: { call, close: async () => {} } });
  await coordinator.start();
  const steps = [first, second].map((url) => ({ action: url, compensate: url }));
  const fields = { gid: 'template', trans_type: 'saga', steps, payloads: [payload, payload], wait_result: true };
  const defaults = { requestTimeoutMs: 3_000, retryIntervalMs: 10_000, timeoutToFailMs: 35_000, runAhead: true };
  const spec = makeDtmSpec(parseDtmTransaction({ fields }), { defaults, subscribersOf: () => undefined });
  const gid = 'template' as Gid;
  await coordinator.submit({ gid, spec });
  await coordinator.wait(gid, { waitMs: 10_000 });
  await coordinator.stop();
  return { changes, calls };
}
