/** What answers on a connection: DTM's rpcs, by the table of its operations, and the standard health check. */
import type { Socket } from 'node:net';
import type { Log } from '@amends/coordinator';
import { AmendsError, parseTrace } from '@amends/core';
import { readActor } from '@amends/wire';
import {
  type DtmRpc,
  dtmMethods,
  dtmServiceName,
  type GrpcAnswer,
  type GrpcMethod,
  grpcAnswerOf,
  grpcAnswerOfError,
  grpcCodes,
  healthMethods,
  healthServiceName,
  servingStatus,
  statusText,
} from '@amends/wire/grpc';

import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ListenerTls } from '../config/tls.ts';
import type { DtmParts, DtmRequest } from '../dtm/operation.ts';
import { dtmOperations } from '../dtm/operations.ts';
import { operatingError } from '../faces/thrown-error.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { watchCaller } from './caller.ts';

/** What the rpcs need. */
export interface GrpcServerOptions {
  readonly dtm: DtmParts;
  readonly metrics: Pick<Metrics, 'request'>;
  readonly log: Log;
  readonly messageBytesMax: number;
  /** Whether to tell whoever asks which rpcs there are. */
  readonly reflection: boolean;
  /** Whether the server is ready for work. */
  isReady(): Promise<boolean>;
}

// biome-ignore lint/suspicious/noExplicitAny: each rpc has messages of its own
type Call = ServerUnaryCall<any, any>;
type GrpcHandler = (call: Call) => Promise<GrpcAnswer>;
// biome-ignore lint/suspicious/noExplicitAny: as above
type Watch = ServerWritableStream<any, any>;
type StreamHandler = (call: Watch) => void;

/** Slow or silent peers do not hold a connection for ever; a flood of pings or streams ends it. */
const channelOptions = (messageBytesMax: number) => ({
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': 1_000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
});

/** Answers on connections that somebody else has accepted. */
export interface GrpcServer {
  take(socket: Socket): void;
  /** Takes no more calls; those in flight go on, but watches end. */
  shutDown(): void;
  /** Breaks off what is in flight. */
  cut(): void;
}

/** Makes the server. @param tls null: without */
export async function grpcServer(options: GrpcServerOptions, tls: ListenerTls | null): Promise<GrpcServer> {
  const server = new Server(channelOptions(options.messageBytesMax));
  const watches = new Set<Watch>();
  mount(server, { name: dtmServiceName, methods: dtmMethods, handlers: dtmHandlers(options.dtm) }, options);
  mount(server, { name: healthServiceName, methods: healthMethods, handlers: healthHandlers(options, watches) }, options);
  if (options.reflection) (await import('./reflection.ts')).addReflection(server);
  const { injectConnection } = server.createConnectionInjector(makeCredentials(tls));
  return {
    take: injectConnection,
    shutDown() {
      for (const watch of watches) watch.end();
      server.tryShutdown(() => {});
    },
    cut: () => server.forceShutdown(),
  };
}

function makeCredentials(tls: ListenerTls | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const { cert, key, clientCa } = tls;
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  return ServerCredentials.createSsl(clientCa === null ? null : Buffer.from(clientCa), [pair], clientCa !== null);
}

interface Mounted {
  readonly name: string;
  readonly methods: Readonly<Record<string, GrpcMethod>>;
  /** By rpc; those that stream their replies get the stream. */
  readonly handlers: Readonly<Record<string, GrpcHandler | StreamHandler>>;
}

function mount(server: Server, { name, methods, handlers }: Mounted, options: GrpcServerOptions): void {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [rpc, { request, reply, streams = false }] of Object.entries(methods)) {
    definition[rpc] = {
      path: `/${name}/${rpc}`,
      requestStream: false,
      responseStream: streams,
      requestSerialize: (message: object) => request.encode(message),
      requestDeserialize: (bytes: Buffer) => decodeOrRefuse(() => request.decode(bytes)),
      responseSerialize: (message: object) => reply.encode(message),
      responseDeserialize: (bytes: Buffer) => reply.decode(bytes),
    };
    implementation[rpc] = streams ? (handlers[rpc] as StreamHandler) : unary(rpc, handlers[rpc] as GrpcHandler, options);
  }
  server.addService(definition, implementation);
}

function unary(rpc: string, handle: GrpcHandler, { metrics, log }: Pick<GrpcServerOptions, 'metrics' | 'log'>) {
  const meter = metrics.request(rpc.toLowerCase(), 'grpc');
  return (call: Call, done: sendUnaryData<object>) => {
    const startedAt = performance.now();
    void answer(() => handle(call), log).then((answered) => {
      meter('status' in answered ? 500 : 200, (performance.now() - startedAt) / 1000);
      if ('status' in answered) done({ code: answered.status.code, details: statusText(answered.status.message) });
      else done(null, answered.reply);
    });
  };
}

/** A message that cannot be read is the caller's mistake: the handler refuses what stands in its place. */
function decodeOrRefuse(decode: () => object): object {
  try {
    return decode();
  } catch (error) {
    const message = `is not what this rpc takes: ${(error as Error).message}`;
    return new AmendsError('invalid_request', [{ field: 'message', message }]);
  }
}

async function answer(handle: () => Promise<GrpcAnswer>, log: Log): Promise<GrpcAnswer> {
  try {
    return await handle();
  } catch (error) {
    return grpcAnswerOfError(operatingError(error, log));
  }
}

function dtmHandlers(parts: DtmParts): Readonly<Record<string, GrpcHandler>> {
  return Object.fromEntries(Object.entries(dtmMethods).map(([rpc, method]) => [rpc, dtmHandler(method, parts)]));
}

function dtmHandler({ operation, bodyOf }: DtmRpc, parts: DtmParts): GrpcHandler {
  const { carryOut } = dtmOperations[operation];
  return async (call) => grpcAnswerOf(await carryOut(dtmRequest(call, bodyOf), parts));
}

function dtmRequest(call: Call, bodyOf: DtmRpc['bodyOf']): DtmRequest {
  return {
    body: () => bodyOf(readMessage(call)),
    trace: () => parseTrace(readText(call, 'traceparent')),
    actor: () => readActor(readText(call, 'x-amends-actor') ?? undefined),
    caller: watchCaller(call),
  };
}

/** The first value of a name in the metadata; null: it has none that is text. */
function readText(call: Call, name: string): string | null {
  const [value] = call.metadata.get(name);
  return typeof value === 'string' ? value : null;
}

function healthHandlers(
  { isReady }: GrpcServerOptions,
  watches: Set<Watch>,
): { readonly Check: GrpcHandler; readonly Watch: StreamHandler } {
  const status = async () => ((await isReady()) ? servingStatus.serving : servingStatus.notServing);
  return {
    async Check(call) {
      if (isKnown(call)) return { reply: { status: await status() } };
      return { status: { code: grpcCodes.NOT_FOUND, message: `there is no service ${serviceIn(call)}` } };
    },
    Watch(call) {
      watches.add(call);
      const stop = watchStatus(isKnown(call) ? status : async () => servingStatus.serviceUnknown, (now) =>
        call.write({ status: now }),
      );
      call.on('cancelled', () => call.end());
      call.on('close', () => {
        stop();
        watches.delete(call);
      });
    },
  };
}

function serviceIn(call: Pick<Call, 'request'>): string {
  return readMessage<{ readonly service: string }>(call).service;
}

function isKnown(call: Pick<Call, 'request'>): boolean {
  return ['', dtmServiceName].includes(serviceIn(call));
}

const lookEveryMs = 1_000;

/** Tells the status now, and each time that it has changed. @returns a function that ends it */
function watchStatus(ask: () => Promise<number>, tell: (status: number) => void): () => void {
  let told: number | null = null;
  const look = () =>
    void ask().then((status) => {
      if (status !== told) tell(status);
      told = status;
    });
  look();
  const timer = setInterval(look, lookEveryMs);
  return () => clearInterval(timer);
}

function readMessage<M>(call: Pick<Call, 'request'>): M {
  const message: unknown = call.request;
  if (message instanceof AmendsError) throw message;
  return message as M;
}
