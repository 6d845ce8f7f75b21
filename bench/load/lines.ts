/**
 * Where the load generator sends its requests: sockets, or streams of a few HTTP/2 sessions. They must cost less than what is
 * measured.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { messageCutter, statusOf } from './http-messages.ts';
import type { GrpcRequest } from './jobs.ts';

/** Carries one request at a time; `send` may be called again when `onAnswer` has been. */
export interface Line<R> {
  send(request: R): void;
  /** @param isWell whether the server has done what was asked */
  onAnswer: (isWell: boolean) => void;
  close(): void;
}

/** As many connections. @param url root of the server */
export function openHttpLines(url: string, count: number, onBroken: (error: Error) => void): Promise<readonly Line<string>[]> {
  return Promise.all(Array.from({ length: count }, () => openHttp(url, onBroken)));
}

async function openHttp(url: string, onBroken: (error: Error) => void): Promise<Line<string>> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true });
  await once(socket, 'connect');
  const broken = () => onBroken(new Error(`${url} closed a connection`));
  const line: Line<string> = {
    send: (request) => socket.write(request, 'latin1'),
    onAnswer: () => {},
    close: () => socket.off('close', broken).destroy(),
  };
  const cut = messageCutter((answer) => line.onAnswer(statusOf(answer) === 200));
  // An error is followed by `close`.
  socket
    .on('data', cut)
    .on('close', broken)
    .on('error', () => {});
  return line;
}

/** gRPC has many calls on one connection. */
const callsPerSession = 16;

/** As many streams at once as lines, over few sessions. @param url `http://host:port` of the gRPC server */
export async function openGrpcLines(
  url: string,
  count: number,
  onBroken: (error: Error) => void,
): Promise<readonly Line<GrpcRequest>[]> {
  const sessions = await Promise.all(
    Array.from({ length: Math.ceil(count / callsPerSession) }, async () => {
      const session = connectHttp2(url);
      await once(session, 'connect');
      return session.on('error', () => {});
    }),
  );
  return Array.from({ length: count }, (_, index) => grpcLine(sessions[index % sessions.length]!, url, onBroken));
}

function grpcLine(session: ClientHttp2Session, url: string, onBroken: (error: Error) => void): Line<GrpcRequest> {
  const broken = () => onBroken(new Error(`${url} closed a connection`));
  session.on('close', broken);
  const line: Line<GrpcRequest> = {
    onAnswer: () => {},
    close() {
      session.off('close', broken);
      session.destroy();
    },
    send({ path, frame }) {
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
      let status: unknown;
      stream.on('response', (headers) => {
        status = headers['grpc-status'];
      });
      stream.on('trailers', (trailers) => {
        status = trailers['grpc-status'];
      });
      stream.on('close', () => line.onAnswer(status === '0'));
      stream.on('error', () => {});
      stream.resume();
      stream.end(frame);
    },
  };
  return line;
}
