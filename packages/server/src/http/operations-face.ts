/** What those who run the server ask: is it alive, is it ready, how is it doing. */
import type { Coordinator } from '@amends/coordinator';
import { dtmBase } from '@amends/wire/dtm';
import { nativeBase } from '@amends/wire/native';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { isReadyBy } from '../ready.ts';
import { version } from '../version.ts';

/** What the face needs. */
export interface OperationsFaceOptions {
  readonly coordinator: Pick<Coordinator, 'health'>;
  /** Resolves when nothing but a restart of the process helps any more. */
  readonly lost: Promise<Error>;
  readonly metricsText: (reply: FastifyReply) => Promise<string>;
}

/** Where DTM serves its metrics. */
const dtmMetrics = '/api/metrics';

const welcome = `Amends ${version}, a distributed transaction manager.

native API     ${nativeBase}/transactions   described by ${nativeBase}/openapi.json
DTM's API      ${dtmBase}
health         /healthz /readyz ${nativeBase}/health
metrics        /metrics
`;

/** Makes the face. */
export function operationsFace({ coordinator, lost, metricsText }: OperationsFaceOptions): FastifyPluginAsync {
  let reason: string | null = null;
  void lost.then((error) => {
    reason = error.message;
  });
  return async (app) => {
    app.get('/', { config: { permission: 'public', api: 'welcome' } }, (_request, reply) =>
      reply.type('text/plain').send(welcome),
    );
    app.get('/healthz', { config: { permission: 'public', api: 'healthz' } }, (_request, reply) =>
      reason === null ? { status: 'live' } : reply.code(503).send({ status: 'not live', reason }),
    );
    app.get('/readyz', { config: { permission: 'public', api: 'readyz' } }, (_request, reply) => ready(coordinator, reply));
    for (const url of ['/metrics', dtmMetrics])
      app.get(url, { config: { permission: 'system:read', api: 'metrics' } }, (_request, reply) => metricsText(reply));
  };
}

async function ready(coordinator: Pick<Coordinator, 'health'>, reply: FastifyReply): Promise<object> {
  const current = await coordinator.health();
  const { state, reason } = current;
  const isReady = isReadyBy(current);
  reply.code(isReady ? 200 : 503);
  return isReady ? { status: 'ready' } : { status: 'not ready', state, reason: reason || 'the store does not answer' };
}
