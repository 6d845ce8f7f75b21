/** The gRPC side of the server: DTM's rpcs over the same service as its HTTP routes, and the standard health check. */
import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net';
import type { Log } from '@amends/coordinator';
import { AmendsError, traceOf } from '@amends/core';
import {
  type DtmAnswer,
  dtmMethods,
  dtmServiceName,
  type GrpcBranch,
  type GrpcMethod,
  type GrpcStatus,
  type GrpcTopic,
  type GrpcTransaction,
  grpcCodes,
  grpcStatusOf,
  grpcStatusOfError,
  healthMethods,
  healthServiceName,
  progressesOf,
  registrationOfGrpc,
  servingStatus,
  transactionOfGrpc,
} from '@amends/wire';
import { Server, type ServerCredentials, type ServerUnaryCall, type ServiceDefinition, type sendUnaryData } from '@grpc/grpc-js';
import type { DtmService } from '../dtm/dtm-service.ts';
import { requestError } from '../http/request-error.ts';
import type { Metrics } from '../metrics.ts';

/** What the listener needs. */
export interface GrpcListenerOptions {
  readonly service: DtmService;
  readonly metrics: Pick<Metrics, 'request'>;
  readonly log: Log;
  readonly messageBytesMax: number;
  /** Whether the server is ready for work. */
  isReady(): Promise<boolean>;
}

/** A gRPC server that does not listen yet. */
export interface GrpcListener {
  /** @returns the port. @throws Error with the code of the system when it cannot be listened on */
  listen(host: string, port: number, credentials: ServerCredentials): Promise<number>;
  /** Lets calls in flight end, but cuts them after this time. Idempotent. Milliseconds. */
  close(withinMs: number): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: each rpc has messages of its own
type Call = ServerUnaryCall<any, any>;
type Handler = (call: Call) => Promise<object>;

/** Slow or silent peers do not hold a connection for ever; a flood of pings or streams ends it. */
const channelOptions = (messageBytesMax: number) => ({
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': 1_000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
});

/** Makes the listener. */
export function grpcListener(options: GrpcListenerOptions): GrpcListener {
  const server = new Server(channelOptions(options.messageBytesMax));
  mount(server, { name: dtmServiceName, methods: dtmMethods, handlers: dtmHandlers(options.service) }, options);
  mount(server, { name: healthServiceName, methods: healthMethods, handlers: healthHandlers(options) }, options);
  const sockets = new Set<Socket>();
  let listener: Listener | null = null;
  let closing: Promise<void> | null = null;

  async function end(withinMs: number): Promise<void> {
    if (listener === null) return server.forceShutdown();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    listener.close(() => resolve());
    const cut = setTimeout(() => {
      server.forceShutdown();
      for (const socket of sockets) socket.destroy();
    }, withinMs);
    server.tryShutdown(() => {});
    await closed;
    clearTimeout(cut);
  }

  return {
    async listen(host, port, credentials) {
      const { injectConnection } = server.createConnectionInjector(credentials);
      listener = await listening({ host, port }, (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        injectConnection(socket);
      });
      return (listener.address() as AddressInfo).port;
    },
    close(withinMs) {
      closing ??= end(withinMs);
      return closing;
    },
  };
}

/** The library's own way to listen tells by text only why it cannot, and logs it. */
function listening(at: { readonly host: string; readonly port: number }, take: (socket: Socket) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const listener = createServer({ noDelay: true, keepAlive: true }, take);
    listener.once('error', reject);
    listener.listen(at, () => resolve(listener));
  });
}

interface Mounted {
  readonly name: string;
  readonly methods: Readonly<Record<string, GrpcMethod>>;
  readonly handlers: Readonly<Record<string, Handler>>;
}

function mount(server: Server, { name, methods, handlers }: Mounted, options: GrpcListenerOptions): void {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: Record<string, (call: Call, done: sendUnaryData<object>) => void> = {};
  for (const [rpc, { request, reply }] of Object.entries(methods)) {
    definition[rpc] = {
      path: `/${name}/${rpc}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: object) => request.encode(message),
      requestDeserialize: (bytes: Buffer) => decoded(() => request.decode(bytes)),
      responseSerialize: (message: object) => reply.encode(message),
      responseDeserialize: (bytes: Buffer) => reply.decode(bytes),
    };
    const meter = options.metrics.request(rpc.toLowerCase(), 'grpc');
    implementation[rpc] = (call, done) => {
      const startedAt = performance.now();
      void answered(() => handlers[rpc]!(call), options.log).then((answer) => {
        meter('status' in answer ? 500 : 200, (performance.now() - startedAt) / 1000);
        if ('status' in answer) done({ code: answer.status.code, details: answer.status.message });
        else done(null, answer.reply);
      });
    };
  }
  server.addService(definition, implementation);
}

/** A message that cannot be read is the caller's mistake: the handler refuses what stands in its place. */
function decoded(decode: () => object): object {
  try {
    return decode();
  } catch (error) {
    return new AmendsError('invalid_request', `message: is not what this rpc takes: ${(error as Error).message}`);
  }
}

async function answered(
  handle: () => Promise<object>,
  log: Log,
): Promise<{ readonly reply: object } | { readonly status: GrpcStatus }> {
  try {
    return { reply: await handle() };
  } catch (error) {
    return { status: error instanceof Refused ? error.status : grpcStatusOfError(requestError(error, log)) };
  }
}

/** An answer of the service that is no success. */
class Refused extends Error {
  readonly status: GrpcStatus;

  constructor(status: GrpcStatus) {
    super(status.message);
    this.status = status;
  }
}

function done(answer: DtmAnswer): object {
  const status = grpcStatusOf(answer);
  if (status !== null) throw new Refused(status);
  return {};
}

function dtmHandlers(service: DtmService): Record<keyof typeof dtmMethods, Handler> {
  return {
    NewGid: async () => ({ Gid: service.newGid() }),
    Prepare: async (call) => done(await service.prepare(transactionIn(call))),
    Submit: async (call) => done(await service.submit(transactionIn(call), callerGone(call))),
    Abort: async (call) => done(await service.abort(transactionIn(call), callerGone(call))),
    RegisterBranch: async (call) => done(await service.registerBranch(registrationOfGrpc(messageOf<GrpcBranch>(call)))),
    async PrepareWorkflow(call) {
      const prepared = await service.prepareWorkflow(transactionIn(call));
      return 'view' in prepared ? progressesOf(prepared.view) : done(prepared);
    },
    Subscribe: async (call) => done(await service.subscribe(topicIn(call), actorOfCall(call))),
    Unsubscribe: async (call) => done(await service.unsubscribe(topicIn(call), actorOfCall(call))),
    DeleteTopic: async (call) => done(await service.deleteTopic(topicIn(call).topic, actorOfCall(call))),
  };
}

function healthHandlers({ isReady }: GrpcListenerOptions): Record<keyof typeof healthMethods, Handler> {
  return {
    async Check(call) {
      const { service } = messageOf<{ readonly service: string }>(call);
      if (service !== '' && service !== dtmServiceName)
        throw new Refused({ code: grpcCodes.notFound, message: `there is no service ${service}` });
      return { status: (await isReady()) ? servingStatus.serving : servingStatus.notServing };
    },
  };
}

function messageOf<M>(call: Call): M {
  const message: unknown = call.request;
  if (message instanceof AmendsError) throw message;
  return message as M;
}

function transactionIn(call: Call) {
  const [traceparent = null] = call.metadata.get('traceparent');
  return transactionOfGrpc(messageOf<GrpcTransaction>(call), traceOf(typeof traceparent === 'string' ? traceparent : null));
}

function topicIn(call: Call) {
  const { Topic: topic, URL: url, Remark: remark } = messageOf<GrpcTopic>(call);
  return { topic, url, remark };
}

function actorOfCall(call: Call): string {
  const [actor] = call.metadata.get('x-amends-actor');
  return typeof actor === 'string' && actor !== '' ? actor : 'anonymous';
}

/** Aborts when the caller has cancelled, or its deadline is over. */
function callerGone(call: Call): AbortSignal {
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  return gone.signal;
}
