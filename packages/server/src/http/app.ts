/** The HTTP side of the server: one application, with bodies as bytes, and a permission and a meter on every route. */
import type { ServerOptions as SecureServerOptions } from 'node:https';
import { AmendsError, type ErrorCode, limits } from '@amends/core';
import type { Permission } from '@amends/wire';
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  type onResponseHookHandler,
} from 'fastify';
import type { ListenerTls } from '../config/tls.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Fallback } from './fallback.ts';
import { type CheckHost, hostGuard } from './host-guard.ts';
import { type KnownAddresses, knownAddresses } from './known-addresses.ts';
import { answerRefused } from './refused-exchange.ts';
import { pathPartCharactersMax } from './request-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller must be allowed to do. */
    readonly permission?: Permission;
    /** Name of the route in metrics. */
    readonly api?: string;
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

/** Longer than common proxies keep theirs, so that it is they who close. Milliseconds. */
const keepAliveMs = 75_000;

/** Makes the application; it listens to nobody yet. */
export function createApp({ host, tls, bodyBytesMax, metrics, faces, fallback }: AppOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    ...(tls === null ? { http: parsing } : { https: { ...parsing, ...secureOptions(tls) } }),
    bodyLimit: bodyBytesMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: keepAliveMs,
    routerOptions: { maxParamLength: pathPartCharactersMax },
    clientErrorHandler: answerRefused,
    frameworkErrors: fallback.failed,
    // While it closes, the coordinator's own refusal says more.
    return503OnClosing: false,
  });
  app.setErrorHandler(fallback.failed);
  app.setNotFoundHandler(fallback.unknown);
  acceptBytes(app);
  meterRoutes(app, metrics);
  const addresses = knownAddresses();
  app.addHook('onRoute', ({ url, method }) => addresses.add(url, method));
  // Node would answer by itself, without a word.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  const checkHost = hostGuard(host);
  app.addHook('onRequest', (request, reply, done) => {
    const error = messageError(request) ?? pageError(request, checkHost) ?? methodError(request, reply, addresses);
    // Its body is not read, so nothing can follow it on this connection.
    if (error !== undefined) reply.header('connection', 'close');
    done(error);
  });
  for (const face of faces) app.register(face);
  return app;
}

/** What Node would refuse without saying why is refused here. */
const parsing = { maxHeaderSize: limits.requestHeadBytesMax, requireHostHeader: false };

/** With authorities for clients, those without a certificate of theirs do not come to the first request. */
function secureOptions({ cert, key, clientCa }: ListenerTls): SecureServerOptions {
  return { cert, key, ...(clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }) };
}

/** Every body arrives as bytes: each face parses its own, and says so in its own way when it cannot. */
function acceptBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const asItIs = (_request: FastifyRequest, body: Buffer, done: (error: null, body: Buffer) => void) => done(null, body);
  // A type by its name is found at once; the rest would be taken apart again for each request.
  for (const type of ['application/json', '*']) app.addContentTypeParser(type, { parseAs: 'buffer' }, asItIs);
}

/** Each route has a hook of its own that knows its meter: what Fastify tells a common one of the route is made anew each time. */
function meterRoutes(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onRoute', (route) => {
    const { config, url, method, onResponse = [] } = route;
    if (config?.permission === undefined) throw new Error(`route ${method} ${url} declares no permission`);
    const meter = metrics.request(config.api ?? url);
    const count: onResponseHookHandler = (_request, reply, done) => {
      meter(reply.statusCode, reply.elapsedTime / 1000);
      done();
    };
    route.onResponse = [...[onResponse].flat(), count];
  });
}

function messageError({ headers, raw }: FastifyRequest): AmendsError | undefined {
  const hosts = hostsIn(raw.rawHeaders);
  if (hosts > 1) return headerError('Host', `is there ${hosts} times; HTTP/1.1 wants it once in each request`);
  if (hosts === 0 && raw.httpVersion === '1.1') return headerError('Host', 'is missing; HTTP/1.1 wants it once in each request');
  const { expect } = headers;
  if (expect === undefined || /^100-continue$/i.test(expect)) return undefined;
  return headerError('Expect', `is ${JSON.stringify(expect)}; leave it out, or send 100-continue`, 'expectation_failed');
}

function headerError(field: string, message: string, code: ErrorCode = 'invalid_request'): AmendsError {
  return new AmendsError(code, [{ field, message }]);
}

/** Of several, Node shows the first: whoever stands before this server may have gone by another. */
function hostsIn(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]!.length === 4 && rawHeaders[at]!.toLowerCase() === 'host') count++;
  return count;
}

/** An address that exists, asked by a method that it does not have. */
function methodError(
  { is404, method, url }: FastifyRequest,
  reply: FastifyReply,
  addresses: KnownAddresses,
): AmendsError | undefined {
  const allowed = is404 ? addresses.methodsOf(url.split('?')[0]!).join(', ') : '';
  if (allowed === '') return undefined;
  reply.header('allow', allowed);
  return new AmendsError('method_not_allowed', `${method} is not possible here; possible: ${allowed}`);
}

/**
 * Programs send no Origin: whoever does is a web page that somebody happens to look at beside this server. Its images send none.
 */
function pageError({ headers }: FastifyRequest, checkHost: CheckHost): AmendsError | undefined {
  const reason = checkHost(headers.host);
  if (reason !== null) return new AmendsError('forbidden', reason);
  if (headers.origin === undefined && !embeddings.has(headers['sec-fetch-site'])) return undefined;
  return new AmendsError('forbidden', 'requests of web pages (with the header Origin) are not accepted; call from a program');
}

/** How browsers say that another page makes them ask: some of DTM's routes change something by GET. */
const embeddings: ReadonlySet<unknown> = new Set(['cross-site', 'same-site']);
