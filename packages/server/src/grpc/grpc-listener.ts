/**
 * Listens for gRPC. What answers is loaded with the first connection: a server that nobody calls over gRPC does without its
 * memory.
 */
import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net';
import type { ListenerTls } from '../config/tls.ts';
import type { GrpcServer, GrpcServerOptions } from './grpc-server.ts';

/** A gRPC server that does not listen yet. */
export interface GrpcListener {
  /** @param tls null: without. @returns the port. @throws Error with the code of the system when it cannot be listened on */
  listen(host: string, port: number, tls: ListenerTls | null): Promise<number>;
  /** Lets calls in flight end, but cuts them after this time. Idempotent. Milliseconds. */
  close(withinMs: number): Promise<void>;
}

/** Makes the listener. */
export function grpcListener(options: GrpcServerOptions): GrpcListener {
  const sockets = new Set<Socket>();
  let listener: Listener | null = null;
  let server: Promise<GrpcServer> | null = null;
  let closing: Promise<void> | null = null;

  async function take(socket: Socket, tls: ListenerTls | null): Promise<void> {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    server ??= import('./grpc-server.ts').then(({ grpcServer }) => grpcServer(options, tls));
    (await server).take(socket);
  }

  async function end(withinMs: number): Promise<void> {
    if (listener === null) return;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    listener.close(() => resolve());
    const answering = await server;
    const cut = setTimeout(() => {
      answering?.cut();
      for (const socket of sockets) socket.destroy();
    }, withinMs);
    answering?.shutDown();
    await closed;
    clearTimeout(cut);
  }

  return {
    async listen(host, port, tls) {
      listener = await listening({ host, port }, (socket) => void take(socket, tls));
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
