/**
 * A process: the parts of a durable saga without what decides about it, so that it shows what they alone cost.
 * `http`: the server's own HTTP on both sides, Fastify and the coordinator's transport; nothing is stored.
 * `thread`: also, before each call and before the answer, a batch goes to a thread, which answers half a millisecond
 *   later and does nothing. `store`: the same batches are durable commits of the SQLite store, always of the same content.
 * Plain JavaScript, as the relay is. Arguments: which, the URLs of the two participants, the body, the database file.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { createCoordinator, httpTransport } from '@amends/coordinator';
import { openSqliteStore } from '@amends/store-sql';
import { parseDtmTransaction, parseSubmission } from '@amends/wire';

const Fastify = createRequire(new URL('../../packages/server/package.json', import.meta.url))('fastify');
const [which, first, second, payload, file] = process.argv.slice(2);
const transport = httpTransport();
const callOf = { mode: 'saga', op: 'action', attempt: 1, epoch: 1, headers: {}, deadlineInMs: 3_000, face: 'dtm' };
const bytes = Buffer.from(payload);
const template = which === 'store' ? await recordSaga() : [[], [], []];
const gather = { http: null, thread: throughThread, store: which === 'store' ? await throughStore() : null }[which];

const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/api/dtmsvr/submit', async (request) => {
  const { gid } = JSON.parse(request.body.toString());
  await commit(gid, 0);
  await transport.call({ ...callOf, gid, branchId: '01', url: first, payload: bytes });
  await commit(gid, 1);
  await transport.call({ ...callOf, gid, branchId: '02', url: second, payload: bytes });
  await commit(gid, 2);
  return { dtm_result: 'SUCCESS' };
});
process.send({ url: await app.listen({ host: '127.0.0.1', port: 0 }) });

// Group commit as the coordinator does it: one batch under way, what is ready in one turn goes together.
let queue = [];
let busy = false;
function commit(gid, step) {
  if (gather === null) return;
  return new Promise((done) => {
    queue.push({ change: changeOf(gid, step), done });
    if (!busy && queue.length === 1) setImmediate(flush);
  });
}

async function flush() {
  const batch = queue;
  queue = [];
  busy = true;
  await gather(batch.map(({ change }) => change));
  busy = false;
  for (const { done } of batch) done();
  if (queue.length > 0) setImmediate(flush);
}

function changeOf(gid, step) {
  const change = template[step];
  return which === 'store' ? { ...change, row: { ...change.row, gid } } : step;
}

function throughThread(changes) {
  throughThread.worker ??= new Worker(
    `const { parentPort } = require('node:worker_threads');
     const nothing = new Int32Array(new SharedArrayBuffer(4));
     parentPort.on('message', () => { Atomics.wait(nothing, 0, 0, 0.5); parentPort.postMessage(null); });`,
    { eval: true },
  );
  return new Promise((done) => {
    throughThread.worker.once('message', done);
    throughThread.worker.postMessage(changes);
  });
}

async function throughStore() {
  const store = await openSqliteStore({ path: file });
  return (changes) => store.commit(changes);
}

/** The three changes that the coordinator makes of such a saga, caught on their way to a store. */
async function recordSaga() {
  const { openMemoryStore } = await import('@amends/store');
  const memory = openMemoryStore();
  const caught = [];
  const commit = (changes) => {
    caught.push(...changes);
    return memory.commit(changes);
  };
  const store = new Proxy(memory, { get: (target, name) => (name === 'commit' ? commit : boundTo(target, name)) });
  const coordinator = createCoordinator({ store, transport: { call: agree, close: async () => {} } });
  await coordinator.start();
  const steps = [first, second].map((url) => ({ action: url, compensate: url }));
  const body = { gid: 'template', trans_type: 'saga', steps, payloads: [payload, payload], wait_result: true };
  const defaults = { requestTimeoutMs: 3_000, retryIntervalMs: 10_000, timeoutToFailMs: 35_000 };
  const { gid, spec } = parseSubmission(parseDtmTransaction(body), { defaults, subscribersOf: () => undefined });
  await coordinator.submit({ gid, spec });
  await coordinator.wait(gid, { waitMs: 10_000 });
  await coordinator.stop();
  return caught;
}

function boundTo(target, name) {
  return typeof target[name] === 'function' ? target[name].bind(target) : target[name];
}

async function agree() {
  return { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };
}
