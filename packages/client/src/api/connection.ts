/** Requests to one server: kept-alive connections, a time limit for each answer, retries while it cannot be reached. */
import { Pool } from 'undici';
import { readText } from '../http/answer-text.ts';
import { connectorToFinalAnswers } from '../http/interim-answers.ts';
import { jsonHeaders } from '../http/json-headers.ts';
import { AmendsClientError, invalidField } from './client-error.ts';
import { type Caller, pause } from './pause.ts';
import { exchangeError, refusalError } from './request-error.ts';
import { type ClientRetry, pauseMsAfter } from './retry-pause.ts';

/** Where the server is, and the limits of its connections. */
export interface ConnectionOptions {
  readonly server: string;
  readonly retry: Required<ClientRetry>;
  readonly requestTimeoutMs: number;
  readonly connectionsMax: number;
}

interface Request extends Caller {
  readonly method: 'GET' | 'POST';
  /** Path and query below the base of the native API. */
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** true: sending it twice does no harm, so it is sent again when its answer is lost. */
  readonly repeatable: boolean;
  /** How long the server may take on top of the time limit. Milliseconds. */
  readonly waitMs?: number;
}

/** Sends requests to one server. */
export interface Connection {
  /**
   * Sends a request, repeatedly where that may help.
   * @returns the JSON of the answer
   * @throws AmendsClientError
   */
  send(request: Request): Promise<unknown>;
  /** Breaks off what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Makes a connection; its first request opens it. @throws AmendsClientError `invalid_request` when `server` is no address */
export function connect({ server, retry, requestTimeoutMs, connectionsMax }: ConnectionOptions): Connection {
  const { origin, pathname } = parseServerAddress(server);
  const root = pathname.replace(/\/+$/, '');
  const pool = new Pool(origin, { connections: connectionsMax, pipelining: 1, connect: connectorToFinalAnswers() });

  async function exchange(request: Request, body: string | null): Promise<unknown> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), requestTimeoutMs + (request.waitMs ?? 0));
    const signal = request.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, request.signal]);
    const headers = { ...jsonHeaders(body), ...request.headers };
    const options = {
      method: request.method,
      path: `${root}${nativeBase}${request.path}`,
      headers,
      body,
      signal,
      ...noOwnTimeouts,
    };
    try {
      const answer = await pool.request(options);
      const text = await readText(answer);
      return acceptAnswer(request, { status: answer.statusCode, text, retryAfter: answer.headers['retry-after'] });
    } catch (error) {
      throw error instanceof AmendsClientError ? error : exchangeError(error, request, { timedOut: limit.signal.aborted });
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async send(request) {
      const body = request.body === undefined ? null : JSON.stringify(request.body);
      let giveUpAt = Number.POSITIVE_INFINITY;
      for (let attempt = 1; ; attempt++) {
        try {
          return await exchange(request, body);
        } catch (error) {
          if (!mayRepeat(error, request)) throw error;
          if (attempt === 1) giveUpAt = performance.now() + retry.limitMs;
          const pauseMs = Math.max(pauseMsAfter(attempt, retry), error.retryAfterMs ?? 0);
          if (performance.now() + pauseMs > giveUpAt) throw error;
          await pause(pauseMs, request);
        }
      }
    },
    close: () => (pool.destroyed ? Promise.resolve() : pool.destroy()),
  };
}

/** Path of a transaction below the base of the native API. */
export function transactionPath(gid: string): string {
  return `/transactions/${encodeURIComponent(gid)}`;
}

const nativeBase = '/api/v1';

/** undici's limits are for phases of an exchange; ours is for the whole of it. */
const noOwnTimeouts = { headersTimeout: 0, bodyTimeout: 0 } as const;

function parseServerAddress(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '') return url;
  throw invalidField('server', `is ${server}; must be an http or https address such as http://127.0.0.1:36789`);
}

interface ServerAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | readonly string[] | undefined;
}

function acceptAnswer(request: Request, answer: ServerAnswer): unknown {
  const json = parseObject(answer.text);
  if (json !== null && answer.status >= 200 && answer.status < 300) return json;
  throw refusalError({ ...answer, json }, request);
}

function parseObject(text: string): object | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' ? json : null;
  } catch {
    return null;
  }
}

/**
 * Whether a request is sent again. After a 503, or a 408 of the server itself, nothing was begun. Without an answer, and after a
 * 502 or 504 of a proxy, the request may have taken effect, so only a repeatable one is sent again.
 */
function mayRepeat(error: unknown, { repeatable }: Request): error is AmendsClientError {
  if (!(error instanceof AmendsClientError)) return false;
  const { code, status } = error;
  if (code === 'unreachable' || code === 'request_timeout' || status === 503) return true;
  return repeatable && (code === 'connection_lost' || code === 'timeout' || status === 502 || status === 504);
}
