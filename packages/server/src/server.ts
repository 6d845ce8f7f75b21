/** A server: one store, one coordinator, and the faces by which it is reached. */
import {
  type CheckAddress,
  type Coordinator,
  createCoordinator,
  grpcTransport,
  httpTransport,
  type ParticipantTls,
  storedTopics,
  type Topics,
  transportByScheme,
} from '@amends/coordinator';
import { isLoopbackHost } from '@amends/coordinator/addresses';
import type { Store } from '@amends/store';
import type { DtmDefaults } from '@amends/wire/dtm';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { addressPolicy } from './addresses/address-policy.ts';
import { findAlerts } from './alerts/alert.ts';
import { type WebHook, webHook } from './alerts/web-hook.ts';
import type { Config } from './config/index.ts';
import { retentionMs } from './config/retention-time.ts';
import type { ListenerTls } from './config/tls.ts';
import { dtmRecords } from './dtm/dtm-records.ts';
import type { DtmParts } from './dtm/operation.ts';
import { type GrpcListener, grpcListener } from './grpc/grpc-listener.ts';
import { createApp } from './http/app.ts';
import { dtmFace } from './http/dtm-face.ts';
import { makeFallback } from './http/fallback.ts';
import { jsonRpcFace } from './http/json-rpc-face.ts';
import { nativeFace } from './http/native/native-face.ts';
import { operationsFace } from './http/operations-face.ts';
import { isReadyBy } from './ready.ts';
import { StartError } from './start-error.ts';
import { startErrorOf } from './start-error-of.ts';
import { type OpenedStore, openStore, type StoreCopy } from './stores/open-store.ts';
import { logChanges, openLog, type ServerLog } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { version } from './version.ts';

/** A running server. */
export interface Server {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Where it listens for gRPC, as host and port. */
  readonly grpcAddress: string;
  /** Resolves, with the reason, when it has broken down for good: whoever runs it should stop it and start another. */
  readonly lost: Promise<Error>;
  /** Calls in flight. */
  calling(): number;
  /**
   * Refuses new work, lets calls in flight end, closes everything; within the grace of the configuration and a second,
   * whatever hangs. Idempotent.
   */
  stop(): Promise<void>;
}

/** What a server may be given instead of making it. */
export interface ServerParts {
  /** Default: the one that the option names. The server closes it. */
  readonly store?: Store;
  /** Default: standard output. */
  readonly log?: ServerLog;
}

/** What has not ended by itself this long after the coordinator is cut: connections, and the wait for the store. Milliseconds. */
const lastAnswersMs = 1_000;

/**
 * Starts a server and resolves when it listens and has begun to drive what it found in the store.
 * @throws StartError when it cannot listen or the store cannot be used
 */
export async function startServer(config: Config, parts: ServerParts = {}): Promise<Server> {
  const log = parts.log ?? openLog(config);
  const metrics = createMetrics(version);
  const { promise: lost, resolve: lose } = Promise.withResolvers<Error>();
  const { tlsFiles: tls } = config;
  const opened = parts.store === undefined ? await openOwn(config, log, lose) : { store: parts.store, copy: null };
  const store = metrics.store(opened.store);
  const checkAddress = makeAddressCheck(config);
  const alerts = config.alert.webHook === '' ? null : webHook({ url: config.alert.webHook, log });
  const coordinator = makeCoordinator(config, { store, metrics, log, alerts, checkAddress, tls: tls.participants });
  metrics.watch(coordinator);
  const topics = storedTopics({ store, checkAddress, now: () => coordinator.now() });
  const dtm = { coordinator, topics, records: dtmRecords({ coordinator, store }), defaults: dtmDefaults(config) };
  const app = makeApp(config, { tls: tls.listener, topics, dtm, coordinator, copy: opened.copy, lost, metrics, log });
  const isReady = async () => isReadyBy(await coordinator.health());
  const { bodyBytesMax: messageBytesMax, grpcReflection: reflection } = config;
  const grpc = grpcListener({ dtm, metrics, log, messageBytesMax, reflection, isReady });
  const stop = once(() => stopAll(config, { app, grpc, coordinator, alerts, store, log }));
  try {
    const url = await listen(app, config);
    const grpcAddress = await listenGrpc(grpc, config, tls.listener);
    await coordinator.start();
    log.info({ url, grpc: grpcAddress, version, store: config.store }, 'listening');
    void lost.then((error) => log.error({ err: error }, 'broken down: restart the process'));
    return { url, grpcAddress, lost, calling: () => coordinator.calling(), stop };
  } catch (error) {
    await stop();
    throw startErrorOf(error);
  }
}

function dtmDefaults({ requestTimeoutMs, retryIntervalMs, timeoutToFailMs, dtm: { runAhead } }: Config): DtmDefaults {
  return { requestTimeoutMs, retryIntervalMs, timeoutToFailMs, runAhead };
}

function makeAddressCheck({ host, participants: { allow, deny } }: Config): CheckAddress {
  return addressPolicy({ allow, deny, listensOnLoopback: isLoopbackHost(host) });
}

function openOwn(config: Config, log: ServerLog, onLost: (error: Error) => void): Promise<OpenedStore> {
  return openStore(config, {
    onLost,
    onCreated: (created) => log.info({ created }, 'new store: there was none at this path'),
    onNote: (words) => log.warn({ store: config.store }, words),
  });
}

interface Inside {
  readonly alerts: WebHook | null;
  readonly checkAddress: CheckAddress;
  readonly tls: ParticipantTls;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: ServerLog;
}

function makeCoordinator(config: Config, { alerts, checkAddress, tls, store, metrics, log }: Inside): Coordinator {
  const shared = { checkAddress, tls, userAgent: `amends/${version}` };
  const http = httpTransport({ ...shared, connectionsMax: config.perHostInFlightMax });
  const logged = logChanges(log, config.logLevel === 'debug');
  return createCoordinator({
    store,
    log,
    checkAddress,
    transport: transportByScheme({ http, grpc: grpcTransport(shared) }),
    callObserver: metrics.callObserver,
    perHostInFlightMax: config.perHostInFlightMax,
    liveMax: config.inFlightMax,
    retainSucceededMs: retentionMs(config.retainSucceeded),
    retainFailedMs: retentionMs(config.retainFailed),
    observer(committed) {
      metrics.observer(committed);
      logged(committed);
      if (alerts !== null) for (const alert of findAlerts(committed, config.alert.retryLimit)) alerts.tell(alert);
    },
  });
}

interface Served {
  readonly tls: ListenerTls | null;
  readonly topics: Topics;
  readonly dtm: DtmParts;
  readonly coordinator: Coordinator;
  readonly copy: StoreCopy | null;
  readonly lost: Promise<Error>;
  readonly metrics: Metrics;
  readonly log: ServerLog;
}

function makeApp(config: Config, { tls, topics, dtm, coordinator, copy, lost, metrics, log }: Served): FastifyInstance {
  const metricsText = (reply: FastifyReply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  };
  const faces = [
    nativeFace({ coordinator, topics, copy, log, bodyBytesMax: config.bodyBytesMax }),
    dtmFace(dtm, log),
    jsonRpcFace(dtm, log),
    operationsFace({ coordinator, lost, metricsText }),
  ];
  return createApp({ host: config.host, tls, bodyBytesMax: config.bodyBytesMax, metrics, faces, fallback: makeFallback(log) });
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    throw listenError(error, { host, port, flag: '--port' });
  }
}

async function listenGrpc(grpc: GrpcListener, { host, grpcPort: port }: Config, tls: ListenerTls | null): Promise<string> {
  try {
    return `${host.includes(':') ? `[${host}]` : host}:${await grpc.listen(host, port, tls)}`;
  } catch (error) {
    throw listenError(error, { host, port, flag: '--grpc-port' });
  }
}

interface Listening {
  readonly host: string;
  readonly port: number;
  readonly flag: string;
}

function listenError(error: unknown, place: Listening): StartError {
  return new StartError(listenProblem(error as NodeJS.ErrnoException, place), { cause: error });
}

function listenProblem({ code, message }: NodeJS.ErrnoException, { host, port, flag }: Listening): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use, perhaps by another Amends; stop that, or choose another with ${flag}`;
    case 'EACCES':
      return `port ${port} may not be used by this user; choose one above 1023 with ${flag}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine; choose another with --host`;
    default:
      return `cannot listen on ${host} port ${port}: ${message}`;
  }
}

interface Running {
  readonly app: FastifyInstance;
  readonly grpc: GrpcListener;
  readonly coordinator: Coordinator;
  readonly alerts: WebHook | null;
  readonly store: Store;
  readonly log: ServerLog;
}

/** In this order each part ends before what it stands on. New work is refused from the first moment, with an answer. */
async function stopAll({ stopGraceMs }: Config, { app, grpc, coordinator, alerts, store, log }: Running): Promise<void> {
  log.info({ calling: coordinator.calling(), graceMs: stopGraceMs }, 'stopping');
  await coordinator.stop({ graceMs: stopGraceMs });
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const cut = setTimeout(() => {
    app.server.closeAllConnections();
    resolve();
  }, lastAnswersMs);
  await Promise.all([app.close(), grpc.close(lastAnswersMs), alerts?.close(lastAnswersMs)]);
  await Promise.race([store.close(), over]);
  clearTimeout(cut);
  log.info({}, 'stopped');
  await log.flush();
}

function once<T>(act: () => T): () => T {
  let result: T | undefined;
  return () => (result ??= act());
}
