/**
 * A process: participants that say yes to everything, two over HTTP and two over gRPC, and one that accepts connections and never
 * answers.
 */
import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { messageCutter } from './http-messages.ts';
import { grpcFrame } from './jobs.ts';

const body = '{"dtm_result":"SUCCESS"}';
const yes = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** What the process says when it is ready. */
export interface ParticipantUrls {
  /** Two that agree. */
  readonly http: readonly [string, string];
  /** Two that agree over gRPC, as `host:port/service/method`. */
  readonly grpc: readonly [string, string];
  readonly silent: string;
}

const http = [await listen(agree), await listen(agree)] as const;
const grpc = [await listenGrpc(), await listenGrpc()] as const;
const silent = await listen((socket) => socket.resume());
process.send?.({ http, grpc, silent } satisfies ParticipantUrls);

async function listen(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  return `http://127.0.0.1:${await portOf(server)}/branch`;
}

async function listenGrpc(): Promise<string> {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.end(empty);
    });
    stream.resume();
  });
  return `127.0.0.1:${await portOf(server)}/bench.Branch/Agree`;
}

const empty = grpcFrame(new Uint8Array(0));

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

function agree(socket: Socket): void {
  socket.on(
    'data',
    messageCutter(() => socket.write(yes)),
  );
}
