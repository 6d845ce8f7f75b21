/** What those who run the server ask: is it alive, is it ready, how is it doing; and what strangers get. */
import type { Coordinator, Log } from '@amends/coordinator';
import { AmendsError } from '@amends/core';
import { dtmBase, nativeBase } from '@amends/wire';
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { version } from '../version.ts';
import { sendProblem } from './native-face.ts';
import { requestError } from './request-error.ts';

/** What the face needs. */
export interface OperationsFaceOptions {
  readonly coordinator: Coordinator;
  readonly log: Log;
  readonly metricsText: (reply: FastifyReply) => Promise<string>;
}

const welcome = `Amends ${version}, a distributed transaction manager.

native API     ${nativeBase}/transactions   described by ${nativeBase}/openapi.json
DTM's API      ${dtmBase}
health         /healthz /readyz ${nativeBase}/health
metrics        /metrics
`;

/** Makes the face; it also answers for addresses that do not exist. */
export function operationsFace({ coordinator, log, metricsText }: OperationsFaceOptions): FastifyPluginCallback {
  return (app, _options, done) => {
    app.setErrorHandler((error, _request, reply) => sendProblem(reply, requestError(error, log)));
    app.get('/', { config: { permission: 'public', api: 'welcome' } }, (_request, reply) =>
      reply.type('text/plain').send(welcome),
    );
    app.get('/healthz', { config: { permission: 'public', api: 'healthz' } }, () => ({ status: 'live' }));
    app.get('/readyz', { config: { permission: 'public', api: 'readyz' } }, (_request, reply) => ready(coordinator, reply));
    app.get('/metrics', { config: { permission: 'system:read', api: 'metrics' } }, (_request, reply) => metricsText(reply));
    done();
  };
}

/** Ready: running, and the store can be written. */
async function ready(coordinator: Coordinator, reply: FastifyReply): Promise<object> {
  const { state, reason, store } = await coordinator.health();
  const isReady = state === 'running' && store !== null;
  reply.code(isReady ? 200 : 503);
  return isReady ? { status: 'ready' } : { status: 'not ready', state, reason: reason || 'the store does not answer' };
}

/** Addresses that do not exist: below DTM's base in DTM's words, elsewhere as problem documents. */
export function answerStrangers({ url, method }: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (url.startsWith(`${dtmBase}/`)) return reply.code(404).type('text/plain').send('404 page not found');
  return sendProblem(reply, new AmendsError('not_found', `${method} ${url.split('?')[0]} does not exist; GET / tells what does`));
}
