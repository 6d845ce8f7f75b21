/** A running server of a test, and its HTTP interface in few words. */
import type { HistoryEntryBody, TransactionBody, TransactionListBody } from '@amends/wire/native';
import { expect, onTestFinished } from 'vitest';
import { resolveConfig } from '../config/index.ts';
import { type Server, type ServerParts, startServer } from '../server.ts';
import type { ServerLog } from '../telemetry/log.ts';

/** An answer, read to its end; `body` is the JSON of it, or its text. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape
  readonly body: any;
}

/** A server and how to ask it. */
export interface RunningServer extends Server {
  /** Sends a request; a body that is neither text nor bytes is sent as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  /** The transaction natively, at rest within a minute. */
  rest(gid: string): Promise<TransactionBody>;
  /** The transaction once it is finished, however often it waits before. */
  end(gid: string): Promise<TransactionBody>;
  history(gid: string): Promise<readonly HistoryEntryBody[]>;
  /** Every transaction that the server knows. */
  gids(): Promise<readonly string[]>;
}

const silent = () => {};
/** A log that nobody reads. */
export const silentLog: ServerLog = { debug: silent, info: silent, warn: silent, error: silent, flush: async () => {} };

/** Starts a server on a free port, by default with a memory store; it is stopped when the test is over. */
export async function runningServer(
  flags: Readonly<Record<string, string>> = {},
  parts: ServerParts = {},
): Promise<RunningServer> {
  const { config } = resolveConfig({ flags: { port: '0', grpcPort: '0', store: 'memory:', stopGraceMs: '0', ...flags } });
  const server = await startServer(config, { log: silentLog, ...parts });
  onTestFinished(() => server.stop());
  return { ...server, ...makeInterface(server.url) };
}

/** How to ask the server at an address. */
function makeInterface(url: string): Omit<RunningServer, keyof Server> {
  const ask: RunningServer['ask'] = async (method, path, body, headers = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { body: bodyOf(body) };
    const response = await fetch(url + path, { method, headers: { ...type, ...headers }, ...sent });
    return { status: response.status, headers: response.headers, body: parse(await response.text()) };
  };
  const get: RunningServer['get'] = (path) => ask('GET', path);
  const at = (gid: string, rest: string) => `/api/v1/transactions/${encodeURIComponent(gid)}${rest}`;
  const rest: RunningServer['rest'] = async (gid) => (await get(at(gid, '?waitMs=60000'))).body;
  return {
    ask,
    get,
    rest,
    post: (path, body) => ask('POST', path, body),
    async end(gid) {
      for (;;) {
        const transaction = await rest(gid);
        expect(transaction).toMatchObject({ gid, hold: null });
        if (transaction.finishedAt !== null) return transaction;
      }
    },
    history: async (gid) => (await get(at(gid, '/history'))).body.entries,
    async gids() {
      const { transactions } = (await get('/api/v1/transactions?limit=1000')).body as TransactionListBody;
      return transactions.map(({ gid }) => gid);
    },
  };
}

function bodyOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
