/**
 * A coordinator whose ports are wrapped so that it can be made to die around each commit, each call and each answer.
 * Made of the packages as they are; impatient, so that many crashes fit into a short test.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { createCoordinator, httpTransport, type Transport } from '@amends/coordinator';
import { isAmendsError, parseGid, type RetryPolicy, type SagaSpec } from '@amends/core';
import { decorated, type Store } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';
import { historyEntryBody, nativeBase, parseCreate, parseJsonBody, problemBody, transactionBody } from '@amends/wire';
import { watchAnswers } from './answers.ts';
import { type Boundary, pass } from './boundary.ts';

const callTimeoutMs = 200;
const retryDelayMs = 40;

const { port, db } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'amends.db' } },
}).values;

const coordinator = createCoordinator({
  store: watchedStore(await openSqliteStore({ path: db })),
  transport: watchedTransport(httpTransport()),
  claimEveryMs: 100,
});
await coordinator.start();
watchAnswers((request) => request.method === 'POST');
const server = createServer((request, response) => void answer(request, response));
server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`coordinator listens on http://127.0.0.1:${port}\n`));
process.once('SIGTERM', () => process.exit());

function watchedStore(store: Store): Store {
  return decorated(store, {
    commit: (changes) => between('before-commit', () => store.commit(changes), 'after-commit'),
    claim: (request) => between('before-claim', () => store.claim(request), 'after-claim'),
  });
}

function watchedTransport(transport: Transport): Transport {
  return {
    call: (request) => between('before-call', () => transport.call(request), 'after-call'),
    close: () => transport.close(),
  };
}

async function between<T>(before: Boundary, act: () => Promise<T>, after: Boundary): Promise<T> {
  pass(before);
  const result = await act();
  pass(after);
  return result;
}

/** The part of the native API that the plays use. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://amends');
  const [gid, what] = url.pathname.slice(`${nativeBase}/transactions/`.length).split('/');
  try {
    if (request.method === 'POST') return send(response, 201, await submit(parseJsonBody(await bodyOf(request))));
    const known = parseGid(decodeURIComponent(gid ?? ''));
    if (what === 'history') {
      const entries = await coordinator.history(known, { afterSeq: 0, limit: 1_000 });
      return send(response, 200, { entries: entries.map(historyEntryBody) });
    }
    const view = await coordinator.wait(known, { waitMs: Number(url.searchParams.get('waitMs')) });
    return view === null ? send(response, 404, {}) : send(response, 200, transactionBody(view));
  } catch (error) {
    if (!isAmendsError(error)) throw error;
    const problem = problemBody(error);
    send(response, problem.status, problem);
  }
}

async function submit(body: unknown): Promise<object> {
  const { gid, spec } = parseCreate(body);
  const asked = spec();
  if (asked.mode !== 'saga') throw new Error(`a ${asked.mode} is not what this coordinator is for`);
  const { outcome, view } = await coordinator.submit({ gid: gid ?? coordinator.newGid(), spec: impatient(asked) });
  if (outcome === 'different') throw new Error(`${gid} has been submitted with another content`);
  return transactionBody(view);
}

function impatient(spec: SagaSpec): SagaSpec {
  const soon = (policy: RetryPolicy): RetryPolicy => ({ ...policy, delayMs: retryDelayMs, delayMsMax: retryDelayMs });
  const steps = spec.steps.map((step) => ({
    ...step,
    timeoutMs: callTimeoutMs,
    actionRetry: soon(step.actionRetry),
    compensateRetry: soon(step.compensateRetry),
  }));
  return { ...spec, steps };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  return Buffer.concat(await request.toArray());
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
