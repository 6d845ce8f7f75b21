/**
 * One connection to one gRPC server, on Node's own HTTP/2. Several calls share it. The address behind the name is checked at the
 * moment of connecting. A connection that has failed is never used again, so the next one resolves the name anew.
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectPlain, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectSecure, type TLSSocket } from 'node:tls';
import { systemTimers } from '../../ports/host.ts';
import type { ParticipantAddress } from '../../ports/participant-address.ts';
import type { ParticipantTls } from '../participant-tls.ts';

export interface GrpcChannelOptions {
  /** Resolves names to permitted addresses only. */
  readonly lookup: LookupFunction;
  readonly tls: ParticipantTls;
  /** A server that let a call time out has this time to answer a ping; then its connection is given up. Milliseconds. */
  readonly pingMsMax: number;
}

/** Time to connect. Milliseconds. */
const connectMsMax = 10_000;
/** Silence after which the operating system asks whether the peer is still there. Milliseconds. */
const keepAliveMs = 60_000;

/** A server takes so many calls at once until it has said otherwise, as the standard asks for (RFC 9113, section 6.5.2). */
const callsUntilToldOtherwise = 100;

/** A connection and the calls on it. */
export class GrpcChannel {
  /** Resolves when the server has said how many calls it takes at once, so that calls may be sent. Rejects when it cannot. */
  readonly connected: Promise<ClientHttp2Session>;
  /** Calls that wait for the connection or for their answer. */
  calls = 0;
  readonly #session: ClientHttp2Session;
  readonly #pingMsMax: number;
  #probing = false;
  #isReady = false;
  /** The last stream that the server may have looked at, as its good-bye says. */
  #lastStreamId = Number.POSITIVE_INFINITY;

  constructor(target: ParticipantAddress, options: GrpcChannelOptions) {
    this.#pingMsMax = options.pingMsMax;
    const socket = socketTo(target, options);
    this.#session = connect('http://participant', { createConnection: () => socket, settings: { enablePush: false } });
    this.connected = connectionOf(this.#session, socket, target);
    this.connected.then(
      () => {
        this.#isReady = true;
      },
      () => {}, // Whoever calls hears of it; without callers nobody needs to.
    );
    // A server that says good-bye takes no more calls here. It may say so once, and then again with the last stream it looks at.
    this.#session.on('goaway', (_code, lastStreamId) => {
      this.#lastStreamId = lastStreamId;
      this.retire();
    });
  }

  /** Whether calls may begin on it. */
  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** The connection, once calls may be sent on it at once; null: not yet. */
  get ready(): ClientHttp2Session | null {
    return this.#isReady ? this.#session : null;
  }

  /** Whether a call would be sent at once, and not wait until others have ended. */
  get hasRoom(): boolean {
    const { maxConcurrentStreams = callsUntilToldOtherwise } = this.#isReady ? this.#session.remoteSettings : {};
    return this.calls < maxConcurrentStreams;
  }

  /** Whether the server has said that it did not look at a stream, and will not. */
  hasPassedOver(streamId: number): boolean {
    return streamId > this.#lastStreamId;
  }

  /** Resolves when it has ended, well or badly. */
  get ended(): Promise<void> {
    return new Promise((resolve) => (this.#session.destroyed ? resolve() : this.#session.once('close', () => resolve())));
  }

  /** No more calls begin on it; it ends with the last of them. */
  retire(): void {
    this.#session.close();
  }

  /** Asks the server whether it is still there, after a call had no answer in time. If it does not answer, its calls end. */
  probe(): void {
    if (this.#probing || !this.isOpen || this.#session.connecting) return;
    this.#probing = true;
    const cancelTimer = systemTimers.after(this.#pingMsMax, () => this.#session.destroy());
    this.#session.ping(() => {
      cancelTimer();
      this.#probing = false;
    });
  }

  /** Breaks off its calls. */
  destroy(): void {
    this.#session.destroy();
  }
}

function connectionOf(session: ClientHttp2Session, socket: Socket, { secure }: ParticipantAddress): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const cancelTimer = systemTimers.after(connectMsMax, () =>
      session.destroy(failure('ETIMEDOUT', `no connection within ${connectMsMax} ms`)),
    );
    session.once('connect', () => {
      if (secure && (socket as TLSSocket).alpnProtocol !== 'h2')
        session.destroy(failure('ERR_TLS_ALPN', 'the server does not offer HTTP/2 (ALPN h2), which gRPC needs'));
    });
    session.once('remoteSettings', () => {
      cancelTimer();
      resolve(session);
    });
    session.once('error', reject);
    session.once('close', () => {
      cancelTimer();
      reject(failure('ECONNABORTED', 'the connection was closed'));
    });
  });
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function socketTo({ secure, hostname, port }: ParticipantAddress, { lookup, tls }: GrpcChannelOptions): Socket {
  const place = { host: hostname, port, lookup };
  const servername = isIP(hostname) === 0 ? hostname : '';
  const socket = secure ? connectSecure({ ...place, servername, ALPNProtocols: ['h2'], ...tls }) : connectPlain(place);
  socket.setKeepAlive(true, keepAliveMs);
  return socket.setNoDelay(true);
}
