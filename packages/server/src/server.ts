/** A server: one store, one coordinator, and the faces by which it is reached. */
import { boundedPerHost, type Coordinator, createCoordinator, httpTransport, isLoopbackHost } from '@amends/coordinator';
import type { Store } from '@amends/store';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { addressPolicy } from './address-policy.ts';
import type { Config } from './config.ts';
import { dtmService } from './dtm/dtm-service.ts';
import { storedTopics } from './dtm/topics.ts';
import { createApp } from './http/app.ts';
import { dtmFace } from './http/dtm-face.ts';
import { fallbackOf } from './http/fallback.ts';
import { nativeFace } from './http/native-face.ts';
import { operationsFace } from './http/operations-face.ts';
import { loggedChanges, openLog, type ServerLog } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openStore } from './open-store.ts';
import { type AskHealth, sharedHealth } from './shared-health.ts';
import { StartError, startErrorOf } from './start-error.ts';
import { version } from './version.ts';

/** A running server. */
export interface Server {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Resolves, with the reason, when it has broken down for good: whoever runs it should stop it and start another. */
  readonly lost: Promise<Error>;
  /** Refuses new work, lets calls in flight end within the grace of the configuration, closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** What a server may be given instead of making it. */
export interface ServerParts {
  /** Default: the one that the option names. The server closes it. */
  readonly store?: Store;
  /** Default: standard output. */
  readonly log?: ServerLog;
}

/** Connections that have not ended by themselves this long after everything else are cut. Milliseconds. */
const lastAnswersMs = 1_000;

/**
 * Starts a server and resolves when it listens and has begun to drive what it found in the store.
 * @throws StartError when it cannot listen or the store cannot be used
 */
export async function startServer(config: Config, parts: ServerParts = {}): Promise<Server> {
  const log = parts.log ?? openLog(config);
  const metrics = createMetrics(version);
  const { promise: lost, resolve: lose } = Promise.withResolvers<Error>();
  const store = metrics.store(parts.store ?? (await openStore(config.store, lose)));
  const coordinator = coordinatorOf(config, { store, metrics, log });
  const health = sharedHealth(coordinator);
  metrics.watch(health);
  const app = appOf(config, { store, coordinator, health, lost, metrics, log });
  const stop = once(() => stopAll(config, { app, coordinator, store, log }));
  try {
    const url = await listen(app, config);
    await coordinator.start();
    log.info({ url, version, store: config.store }, 'listening');
    void lost.then((error) => log.error({ err: error }, 'broken down: restart the process'));
    return { url, lost, stop };
  } catch (error) {
    await stop();
    throw startErrorOf(error);
  }
}

interface Inside {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: ServerLog;
}

function coordinatorOf(config: Config, { store, metrics, log }: Inside): Coordinator {
  const { allow, deny } = config.participants;
  const checkAddress = addressPolicy({ allow, deny, listensOnLoopback: isLoopbackHost(config.host) });
  const http = httpTransport({ checkAddress, connectionsMax: config.perHostInFlightMax, userAgent: `amends/${version}` });
  const logged = loggedChanges(log);
  return createCoordinator({
    store,
    log,
    transport: boundedPerHost(metrics.transport(http), { inFlightMax: config.perHostInFlightMax }),
    liveMax: config.inFlightMax,
    observer(committed) {
      metrics.observer(committed);
      logged(committed);
    },
  });
}

interface Served {
  readonly store: Store;
  readonly coordinator: Coordinator;
  readonly health: AskHealth;
  readonly lost: Promise<Error>;
  readonly metrics: Metrics;
  readonly log: ServerLog;
}

function appOf(config: Config, { store, coordinator, health, lost, metrics, log }: Served): FastifyInstance {
  const metricsText = (reply: FastifyReply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  };
  const topics = storedTopics({ store, now: () => coordinator.now() });
  const service = dtmService({ coordinator, defaults: config, topics });
  const faces = [
    nativeFace({ coordinator, topics, log, bodyBytesMax: config.bodyBytesMax }),
    dtmFace({ coordinator, service, topics, defaults: config, log, metricsText }),
    operationsFace({ health, lost, metricsText }),
  ];
  return createApp({ bodyBytesMax: config.bodyBytesMax, metrics, faces, fallback: fallbackOf(log) });
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    throw new StartError(listenProblem(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
}

function listenProblem({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use, perhaps by another Amends; stop that, or choose another with --port`;
    case 'EACCES':
      return `port ${port} may not be used by this user; choose one above 1023 with --port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine; choose another with --host`;
    default:
      return `cannot listen on ${host} port ${port}: ${message}`;
  }
}

interface Running {
  readonly app: FastifyInstance;
  readonly coordinator: Coordinator;
  readonly store: Store;
  readonly log: ServerLog;
}

/** In this order each part ends before what it stands on. New work is refused from the first moment, with an answer. */
async function stopAll({ stopGraceMs }: Config, { app, coordinator, store, log }: Running): Promise<void> {
  log.info({}, 'stopping');
  await coordinator.stop({ graceMs: stopGraceMs });
  const cut = setTimeout(() => app.server.closeAllConnections(), lastAnswersMs);
  await app.close();
  clearTimeout(cut);
  await store.close();
  log.info({}, 'stopped');
  await log.flush();
}

function once<T>(act: () => T): () => T {
  let result: T | undefined;
  return () => (result ??= act());
}
