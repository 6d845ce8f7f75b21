/** A server, a client of it, and an application whose routes are participants that note what they are asked. */
import type { Server } from '@amends/server';
import Fastify from 'fastify';
import { AmendsClient, type AmendsClientOptions } from '../src/client.ts';
import { participant } from '../src/participants/fastify.ts';
import { BusinessFailure, type Handler, Ongoing } from '../src/participants/verdict.ts';
import { startNativeServer } from './native-server.ts';

/** What tests of the modes stand on. */
export interface Stage {
  readonly server: Server;
  readonly client: AmendsClient;
  /** Address of the application. */
  readonly app: string;
  /** What has been called for a transaction, in order: `path op branch`. */
  callsOf(gid: string): readonly string[];
  close(): Promise<void>;
}

/** What a stage is built of. */
export interface StageOptions {
  /** Routes beside `/ok`, `/refuse`, `/later` and `/broken`; made with the client. */
  readonly routes?: (client: AmendsClient) => Readonly<Record<string, Handler>>;
  readonly client?: Partial<AmendsClientOptions>;
}

const verdicts: Readonly<Record<string, Handler>> = {
  '/ok': (call) => ({ branch: call.branchId }),
  '/refuse': () => {
    throw new BusinessFailure('sold out');
  },
  '/later': () => {
    throw new Ongoing('ask again');
  },
  '/broken': () => {
    throw new Error('no database');
  },
};

/** Starts it all. */
export async function openStage({ routes = () => ({}), client: options = {} }: StageOptions = {}): Promise<Stage> {
  const server = await startNativeServer();
  const client = new AmendsClient({ server: server.url, ...options });
  const calls = new Map<string, string[]>();
  const callsOf = (gid: string) => calls.get(gid) ?? [];
  const app = Fastify();
  for (const [path, handler] of Object.entries({ ...verdicts, ...routes(client) })) {
    const noted: Handler = (call) => {
      calls.set(call.gid, [...callsOf(call.gid), `${path.slice(1)} ${call.op} ${call.branchId}`]);
      return handler(call);
    };
    app.all(path, participant(noted, { onError: () => {} }));
  }
  return {
    server,
    client,
    app: await app.listen({ host: '127.0.0.1', port: 0 }),
    callsOf,
    async close() {
      await client.close();
      await server.stop();
      await app.close();
    },
  };
}
