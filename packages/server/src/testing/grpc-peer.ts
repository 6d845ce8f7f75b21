/** gRPC as clients and participants of DTM speak it, for tests. */
import { dtmMethods, dtmServiceName, type GrpcMethod, grpcMessages, healthMethods, healthServiceName } from '@amends/wire/grpc';
import { Client, type ClientUnaryCall, credentials, Metadata, Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js';
import { afterEach } from 'vitest';

const opened: (() => void)[] = [];
const reflectionPath = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

afterEach(() => {
  for (const close of opened.splice(0)) close();
});

/** What a client got: a reply, or a status. */
type GrpcReply = { readonly reply: Record<string, unknown> } | { readonly code: number; readonly message: string };

/** Calls rpcs of a server. */
export interface GrpcClient {
  dtm(
    rpc: keyof typeof dtmMethods,
    message: object,
    options?: { readonly timeoutMs?: number; readonly actor?: string },
  ): Promise<GrpcReply>;
  health(service?: string): Promise<GrpcReply>;
  /** Statuses as they are told, until `stop`. */
  watchHealth(service?: string): { readonly statuses: AsyncIterator<{ readonly status: number }>; stop(): void };
  /** What reflection says to a request, as bytes. @throws ServiceError */
  reflection(request: Buffer): Promise<Buffer>;
  /** Bytes to any path. */
  raw(path: string, bytes: Buffer): Promise<GrpcReply>;
  /** Cancels what is under way. */
  hangUp(): void;
}

function makeMetadata(actor: string): Metadata {
  const metadata = new Metadata();
  if (actor !== '') metadata.set('x-amends-actor', actor);
  return metadata;
}

/** A client of the server at this address. */
export function grpcClient(address: string, secure = credentials.createInsecure()): GrpcClient {
  const client = new Client(address, secure, { 'grpc.max_send_message_length': -1 });
  opened.push(() => client.close());
  const underWay = new Set<ClientUnaryCall>();
  const call = (
    path: string,
    method: Pick<GrpcMethod, 'request' | 'reply'>,
    message: object,
    { timeoutMs = 5_000, actor = '' } = {},
  ) =>
    new Promise<GrpcReply>((resolve) => {
      const done = (error: ServiceError | null, reply?: Record<string, unknown>) =>
        resolve(error === null ? { reply: reply! } : { code: error.code, message: error.details });
      const deadline = Date.now() + timeoutMs;
      const { request, reply } = method;
      underWay.add(client.makeUnaryRequest(path, request.encode, reply.decode, message, makeMetadata(actor), { deadline }, done));
    });
  return {
    dtm: (rpc, message, options) => call(`/${dtmServiceName}/${rpc}`, dtmMethods[rpc], message, options),
    health: (service = '') => call(`/${healthServiceName}/Check`, healthMethods.Check, { service }),
    watchHealth(service = '') {
      const { request, reply } = healthMethods.Watch;
      const stream = client.makeServerStreamRequest(`/${healthServiceName}/Watch`, request.encode, reply.decode, { service });
      stream.on('error', () => {});
      return { statuses: stream[Symbol.asyncIterator](), stop: () => stream.cancel() };
    },
    async reflection(request) {
      const plain = (bytes: Buffer) => bytes;
      const stream = client.makeBidiStreamRequest(reflectionPath, plain, plain);
      stream.end(request);
      for await (const said of stream) return said as Buffer;
      throw new Error('nothing was said');
    },
    raw: (path, bytes) => call(path, { request: { encode: () => bytes, decode: () => ({}) }, reply: grpcMessages.nothing }, {}),
    hangUp() {
      for (const one of underWay) one.cancel();
    },
  };
}

/** One call that a participant got. */
export interface Received {
  readonly method: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** A participant: the methods of `busi.Busi`, and the one that runs workflows again. */
export interface GrpcParticipant {
  readonly address: string;
  readonly received: readonly Received[];
  /** Resolves when a method of this name has been called; at once when it was already. */
  called(method: string): Promise<void>;
}

/** Starts a participant. @param answer by method: null agrees, otherwise a status @param secure default: plain */
export async function grpcParticipant(
  answer: (received: Received) => { readonly code: number; readonly details: string } | null = () => null,
  secure = ServerCredentials.createInsecure(),
): Promise<GrpcParticipant> {
  const received: Received[] = [];
  const watchers = new Set<() => void>();
  const server = new Server();
  const bytes = (buffer: Buffer) => buffer;
  const methods = ['TransIn', 'TransInRevert', 'TransOut', 'TransOutRevert', 'Query', 'Execute'];
  const rpc = (method: string) => ({
    path: method === 'Execute' ? '/workflow.Workflow/Execute' : `/busi.Busi/${method}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  });
  server.addService(
    Object.fromEntries(methods.map((method) => [method, rpc(method)])),
    Object.fromEntries(
      methods.map((method) => [
        method,
        (
          call: { readonly request: Buffer; readonly metadata: Metadata },
          done: (error: object | null, reply?: Buffer) => void,
        ) => {
          const one = { method, metadata: call.metadata.getMap(), bytes: call.request };
          received.push(one);
          for (const look of [...watchers]) look();
          const status = answer(one);
          done(status, status === null ? Buffer.from('kept') : undefined);
        },
      ]),
    ),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', secure, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  opened.push(() => server.forceShutdown());
  const called = (name: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!received.some(({ method }) => method === name)) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  return { address: `127.0.0.1:${port}`, received, called };
}
