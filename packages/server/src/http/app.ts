/** The HTTP side of the server: one application, with bodies as bytes, and a permission and a meter on every route. */
import type { ServerOptions as SecureServerOptions } from 'node:https';
import { AmendsError } from '@amends/core';
import type { Permission } from '@amends/wire';
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyRequest } from 'fastify';
import type { Metrics, RequestMeter } from '../metrics.ts';
import type { ListenerTls } from '../tls.ts';
import type { Fallback } from './fallback.ts';
import { type CheckHost, hostGuard } from './host-guard.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller must be allowed to do. */
    readonly permission?: Permission;
    /** Name of the route in metrics. */
    readonly api?: string;
    meter?: RequestMeter;
  }
}

/** How the application is made. */
export interface AppOptions {
  /** What the server listens on. */
  readonly host: string;
  /** null: plain HTTP. */
  readonly tls: ListenerTls | null;
  readonly bodyBytesMax: number;
  readonly metrics: Metrics;
  readonly faces: readonly FastifyPluginAsync[];
  /** Answers where no face has a say. */
  readonly fallback: Fallback;
}

/** A gid of 128 characters, each of them written as `%XX` of several bytes. */
const pathParameterCharactersMax = 2_048;
/** Time to send a whole request; slower ones hold a connection for nothing. Milliseconds. */
const requestTimeoutMs = 60_000;
/** Longer than common proxies keep theirs, so that it is they who close. Milliseconds. */
const keepAliveMs = 75_000;

/** Makes the application; it listens to nobody yet. */
export function createApp({ host, tls, bodyBytesMax, metrics, faces, fallback }: AppOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    ...(tls === null ? {} : { https: secureOptions(tls) }),
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    routerOptions: { maxParamLength: pathParameterCharactersMax },
    frameworkErrors: fallback.failed,
    // While it closes, the coordinator's own refusal says more.
    return503OnClosing: false,
  });
  app.setErrorHandler(fallback.failed);
  app.setNotFoundHandler(fallback.unknown);
  acceptBytes(app);
  meterRoutes(app, metrics);
  const checkHost = hostGuard(host);
  app.addHook('onRequest', (request, reply, done) => {
    const error = pageError(request, checkHost);
    // Its body is not read, so nothing can follow it on this connection.
    if (error !== undefined) reply.header('connection', 'close');
    done(error);
  });
  for (const face of faces) app.register(face);
  return app;
}

/** With authorities for clients, those without a certificate of theirs do not come to the first request. */
function secureOptions({ cert, key, clientCa }: ListenerTls): SecureServerOptions {
  return { cert, key, ...(clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }) };
}

/** Every body arrives as bytes: each face parses its own, and says so in its own way when it cannot. */
function acceptBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function meterRoutes(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onRoute', ({ config, url, method }) => {
    if (config?.permission === undefined) throw new Error(`route ${method} ${url} declares no permission`);
    config.meter = metrics.request(config.api ?? url);
  });
  app.addHook('onResponse', (request, reply, done) => {
    request.routeOptions.config.meter?.(reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
}

/** Programs send no Origin: whoever does is a web page that somebody happens to look at beside this server. Its images send none. */
function pageError({ headers }: FastifyRequest, checkHost: CheckHost): AmendsError | undefined {
  const reason = checkHost(headers.host);
  if (reason !== null) return new AmendsError('forbidden', reason);
  if (headers.origin === undefined && !embeddings.has(headers['sec-fetch-site'])) return undefined;
  return new AmendsError('forbidden', 'requests of web pages (with the header Origin) are not accepted; call from a program');
}

/** How browsers say that another page makes them ask: some of DTM's routes change something by GET. */
const embeddings: ReadonlySet<unknown> = new Set(['cross-site', 'same-site']);
