/**
 * A coordinator whose ports are wrapped so that it can be made to die around each commit, each call and each answer.
 * Made of the packages as they are; impatient, so that many crashes fit into a short test.
 */
import { parseArgs } from 'node:util';
import { type Coordinator, createCoordinator, httpTransport, type Log, storedTopics, type Transport } from '@amends/coordinator';
import { refuseForbidden } from '@amends/coordinator/addresses';
import type { RetryPolicy, Spec } from '@amends/core';
import { decorated, type Store } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';
import Fastify from 'fastify';
import { nativeFace } from '../../packages/server/src/http/native/native-face.ts';
import { watchAnswers } from './answers.ts';
import { type Boundary, pass } from './boundary.ts';

const callTimeoutMs = 200;
const retryDelayMs = 40;
/** How long an application may leave open what it has begun. */
const openMsMax = 400;
const bodyBytesMax = 1_048_576;
const log: Log = { debug() {}, info() {}, warn() {}, error: console.error };

const { port, db } = parseArgs({
  options: { port: { type: 'string', default: '0' }, db: { type: 'string', default: 'amends.db' } },
}).values;

const store = watchStore(await openSqliteStore({ path: db }));
const coordinator = createCoordinator({ store, transport: watchTransport(httpTransport()), claimEveryMs: 100 });
await coordinator.start();
watchAnswers((request) => request.method === 'POST');
const app = Fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
const topics = storedTopics({ store, now: () => coordinator.now(), checkAddress: refuseForbidden });
app.register(nativeFace({ coordinator: hurry(coordinator), topics, copy: null, log, bodyBytesMax }));
const url = await app.listen({ host: '127.0.0.1', port: Number(port) });
process.stdout.write(`coordinator listens on ${url}\n`);
process.once('SIGTERM', () => process.exit());

function watchStore(store: Store): Store {
  return decorated(store, {
    commit: (changes) => between('before-commit', () => store.commit(changes), 'after-commit'),
    claim: (request) => between('before-claim', () => store.claim(request), 'after-claim'),
  });
}

function watchTransport(transport: Transport): Transport {
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

/** The coordinator, with less patience than it is asked for. */
function hurry(patient: Coordinator): Coordinator {
  const begins: Partial<Coordinator> = {
    submit: (request) => patient.submit({ ...request, spec: impatient(request.spec) }),
    prepare: (request) => patient.prepare({ ...request, spec: impatient(request.spec) }),
  };
  return new Proxy(patient, {
    get(target, name: keyof Coordinator) {
      const method = begins[name] ?? target[name];
      return method.bind(target);
    },
  });
}

function impatient(spec: Spec): Spec {
  const soon = (policy: RetryPolicy): RetryPolicy => ({ ...policy, delayMs: retryDelayMs, delayMsMax: retryDelayMs });
  switch (spec.mode) {
    case 'saga': {
      const steps = spec.steps.map((step) => ({
        ...step,
        timeoutMs: callTimeoutMs,
        actionRetry: soon(step.actionRetry),
        compensateRetry: soon(step.compensateRetry),
      }));
      return { ...spec, steps };
    }
    case 'msg':
      return { ...spec, callTimeoutMs, retry: soon(spec.retry), askAfterMs: Math.min(spec.askAfterMs, openMsMax) };
    case 'tcc':
    case 'xa':
      return { ...spec, callTimeoutMs, retry: soon(spec.retry), timeoutMs: Math.min(spec.timeoutMs, openMsMax) };
    case 'workflow':
      return { ...spec, callTimeoutMs: openMsMax, retry: soon(spec.retry) };
  }
}
