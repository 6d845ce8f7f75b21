/** Requests to one server: kept-alive connections, a time limit for each answer, patience when it cannot be reached. */
import { Pool } from 'undici';
import { answerText } from '../http/answer-text.ts';
import { connectorToFinalAnswers } from '../http/interim-answers.ts';
import { AmendsClientError, invalid } from './client-error.ts';
import { type OnBehalf, pause } from './pause.ts';
import { exchangeError, refusalError } from './request-error.ts';
import { type ClientRetry, pauseMsAfter } from './retry-pause.ts';

/** How to connect. */
export interface ConnectionOptions {
  readonly server: string;
  readonly retry: Required<ClientRetry>;
  readonly requestTimeoutMs: number;
  readonly connectionsMax: number;
}

interface Request extends OnBehalf {
  readonly method: 'GET' | 'POST';
  /** Below the native API. */
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether it does no harm twice, so that it may be repeated when its answer is lost. */
  readonly repeatable: boolean;
  /** How long the server may take on top of the time limit. Milliseconds. */
  readonly waitMs?: number;
}

/** Talks to a server. */
export interface Connection {
  /**
   * Sends, repeatedly if it must, and gives the answer's JSON.
   * @throws AmendsClientError
   */
  send(request: Request): Promise<unknown>;
  /** Breaks off what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Prepares; connects with the first request. @throws AmendsClientError `invalid_request` for an address that is none */
export function connect({ server, retry, requestTimeoutMs, connectionsMax }: ConnectionOptions): Connection {
  const { origin, pathname } = addressOf(server);
  const root = pathname.replace(/\/+$/, '');
  const pool = new Pool(origin, { connections: connectionsMax, pipelining: 1, connect: connectorToFinalAnswers() });

  async function exchange(request: Request, body: string | null): Promise<unknown> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), requestTimeoutMs + (request.waitMs ?? 0));
    const signal = request.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, request.signal]);
    const headers = { ...(body === null ? acceptsJson : sendsJson), ...request.headers };
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
      const text = await answerText(answer);
      return answerOf(request, { status: answer.statusCode, text, retryAfter: answer.headers['retry-after'] });
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

const nativeBase = '/api/v1';

const acceptsJson = { accept: 'application/json' } as const;
const sendsJson = { ...acceptsJson, 'content-type': 'application/json' } as const;

/** The time limit is for the whole exchange; undici's are per phase. */
const noOwnTimeouts = { headersTimeout: 0, bodyTimeout: 0 } as const;

function addressOf(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '') return url;
  throw invalid('server', `is ${server}; must be an http or https address such as http://127.0.0.1:36789`);
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | readonly string[] | undefined;
}

function answerOf(request: Request, answer: Answer): unknown {
  const json = jsonIn(answer.text);
  if (json !== null && answer.status >= 200 && answer.status < 300) return json;
  throw refusalError({ ...answer, json }, request);
}

function jsonIn(text: string): object | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' ? json : null;
  } catch {
    return null;
  }
}

/**
 * 503, and a 408 of the server itself, say that nothing was begun. When there was no answer, or only one of a proxy without any,
 * nobody knows.
 */
function mayRepeat(error: unknown, { repeatable }: Request): error is AmendsClientError {
  if (!(error instanceof AmendsClientError)) return false;
  const { code, status } = error;
  if (code === 'unreachable' || code === 'request_timeout' || status === 503) return true;
  return repeatable && (code === 'connection_lost' || code === 'timeout' || status === 502 || status === 504);
}
