/**
 * One connection to one gRPC server, on Node's own HTTP/2. Its calls share it; the address behind the name is checked at the
 * moment of connecting, and a connection that has failed is never used again, so that the next one resolves the name anew.
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectPlain, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectSecure, type TLSSocket } from 'node:tls';
import type { GrpcTarget } from './grpc-target.ts';
import type { ParticipantTls } from './participant-tls.ts';

/** How to connect. */
export interface GrpcChannelOptions {
  /** Resolves names to permitted addresses only. */
  readonly lookup: LookupFunction;
  readonly tls: ParticipantTls;
  /** Time for a server that let a call time out to answer a ping, before its connection is given up. Milliseconds. */
  readonly pingMsMax: number;
}

/** Time to connect. Milliseconds. */
const connectMsMax = 10_000;
/** Silence after which the operating system asks whether the peer is still there. Milliseconds. */
const keepAliveMs = 60_000;

/** A connection and the calls on it. */
export class GrpcChannel {
  /** Rejects when no connection came about. */
  readonly connected: Promise<ClientHttp2Session>;
  /** Calls that wait for the connection or for their answer. */
  calls = 0;
  readonly #session: ClientHttp2Session;
  readonly #pingMsMax: number;
  #probing = false;

  constructor(target: GrpcTarget, options: GrpcChannelOptions) {
    this.#pingMsMax = options.pingMsMax;
    const socket = socketTo(target, options);
    this.#session = connect('http://participant', { createConnection: () => socket, settings: { enablePush: false } });
    this.connected = connectionOf(this.#session, socket, target);
    // Whoever calls hears of it; without callers nobody needs to.
    this.connected.catch(() => {});
  }

  /** Whether calls may begin on it. */
  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** A call had no answer in time. If the server does not answer a ping either, the connection is dead, and its calls end. */
  probe(): void {
    if (this.#probing || !this.isOpen || this.#session.connecting) return;
    this.#probing = true;
    const giveUp = setTimeout(() => this.#session.destroy(), this.#pingMsMax);
    this.#session.ping(() => {
      clearTimeout(giveUp);
      this.#probing = false;
    });
  }

  /** Breaks off its calls. */
  destroy(): void {
    this.#session.destroy();
  }
}

function connectionOf(session: ClientHttp2Session, socket: Socket, { secure }: GrpcTarget): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => session.destroy(failure('ETIMEDOUT', `no connection within ${connectMsMax} ms`)), connectMsMax);
    session.once('connect', () => {
      clearTimeout(late);
      if (secure && (socket as TLSSocket).alpnProtocol !== 'h2')
        session.destroy(failure('ERR_TLS_ALPN', 'the server does not offer HTTP/2 (ALPN h2), which gRPC needs'));
      else resolve(session);
    });
    session.once('error', reject);
    session.once('close', () => {
      clearTimeout(late);
      reject(failure('ECONNABORTED', 'the connection was closed'));
    });
    // A server that says good-bye takes no more calls here.
    session.once('goaway', () => session.close());
  });
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function socketTo({ secure, hostname, port }: GrpcTarget, { lookup, tls }: GrpcChannelOptions): Socket {
  const place = { host: hostname, port, lookup };
  const servername = isIP(hostname) === 0 ? hostname : '';
  const socket = secure ? connectSecure({ ...place, servername, ALPNProtocols: ['h2'], ...tls }) : connectPlain(place);
  socket.setKeepAlive(true, keepAliveMs);
  return socket.setNoDelay(true);
}
