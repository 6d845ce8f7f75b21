/**
 * A process: Amends' store, coordinator and DTM route on a bare HTTP server. Used while there is no command that can be
 * started, and for what its options do not offer: a slow disk.
 *
 * Arguments: path of the database file, time that each commit takes longer in milliseconds.
 */
import { createServer } from 'node:http';

import { createCoordinator } from '@amends/coordinator';
import { isAmendsError } from '@amends/core';

import { openSqliteStore } from '@amends/store-sql';
import { answerOf, parseJsonBody, parseSubmit, submittedAnswer, waitedAnswer } from '@amends/wire';

const [path = '', fsyncDelayMs = '0'] = process.argv.slice(2);
const counts = { batches: 0, changes: 0, ended: 0 };
const store = await openSqliteStore({ path, fsyncDelayMs: Number(fsyncDelayMs) });
const coordinator = createCoordinator({
  store: counted(store),
  observer: ({ next }) => {
    if (next.finishedAt !== null) counts.ended += 1;
  },
});
await coordinator.start();

const server = createServer((request, response) => {
  void answer(request).then(({ status, body }) => {
    const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${server.address().port}` }));
process.once('SIGTERM', () => void stop());

async function stop() {
  server.closeAllConnections();
  await coordinator.stop();
  await store.close();
  process.exit();
}

function counted(inner) {
  const commit = (changes) => {
    counts.batches += 1;
    counts.changes += changes.length;
    return inner.commit(changes);
  };
  return {
    capabilities: inner.capabilities,
    commit,
    load: (gids) => inner.load(gids),
    claim: (request) => inner.claim(request),
    list: (query) => inner.list(query),
    history: (gid, page) => inner.history(gid, page),
    heartbeat: (beat) => inner.heartbeat(beat),
    nodes: () => inner.nodes(),
    documents: (kind, key) => inner.documents(kind, key),
    audit: (query) => inner.audit(query),
    purge: (request) => inner.purge(request),
    ping: () => inner.ping(),
    close: () => inner.close(),
  };
}

async function answer(request) {
  if (request.url === '/api/metrics') return { status: 200, body: metrics() };
  try {
    return await submit(await bodyOf(request));
  } catch (error) {
    if (!isAmendsError(error)) throw error;
    return answerOf(error);
  }
}

/** The same names as the server's. */
function metrics() {
  return [
    `amends_store_commit_changes_count ${counts.batches}`,
    `amends_store_commit_changes_sum ${counts.changes}`,
    `amends_transactions_ended_total{mode="saga",status="succeed"} ${counts.ended}`,
    '',
  ].join('\n');
}

function bodyOf(request) {
  return new Promise((resolve) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece)).on('end', () => resolve(Buffer.concat(pieces)));
  });
}

async function submit(body) {
  const submission = parseSubmit(parseJsonBody(body), { requestTimeoutMs: 3_000, retryIntervalMs: 10_000 });
  const { outcome, view } = await coordinator.submit(submission);
  const known = submittedAnswer(submission, { outcome, transaction: view.transaction });
  if (known !== null) return known;
  const ended = await coordinator.wait(submission.gid, { waitMs: 120_000 });
  return waitedAnswer(ended.transaction);
}
