/** What is thrown when a request has no answer to give. */
import { UnreadableAnswer } from '../http/answer-text.ts';
import type { Problem } from './api-types.ts';
import { AmendsClientError, type ClientErrorCode } from './client-error.ts';
import { abortedError, type OnBehalf } from './pause.ts';
import { retryAfterMs } from './retry-pause.ts';

/** An answer that says no. */
interface Refusal {
  readonly status: number;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: object | null;
  readonly retryAfter: string | readonly string[] | undefined;
}

/** The error that an answer stands for. */
export function refusalError({ status, text, json, retryAfter }: Refusal, { gid }: OnBehalf): AmendsClientError {
  const { type, code, title, detail, errors } = (json ?? {}) as Partial<Problem>;
  const details = { status, errors, gid, retryAfterMs: retryAfterMs(retryAfter) };
  if (code !== undefined && type === `urn:amends:error:${code}`)
    return new AmendsClientError(code, detail ?? title ?? code, details);
  return new AmendsClientError('unexpected_answer', `HTTP ${status} without a problem document: ${text.slice(0, 200)}`, details);
}

/** The error of an exchange that broke. */
export function exchangeError(cause: unknown, by: OnBehalf, { timedOut }: { timedOut: boolean }): AmendsClientError {
  const fail = (code: ClientErrorCode, message: string) => new AmendsClientError(code, message, { gid: by.gid, cause });
  if (by.signal?.aborted === true) return abortedError(by);
  if (cause instanceof UnreadableAnswer)
    return new AmendsClientError('unexpected_answer', cause.message, { status: cause.status, gid: by.gid, cause });
  if (timedOut) return fail('timeout', 'the server did not answer in time');
  const { code, message } = innermost(cause);
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return fail('closed', 'the client has been closed');
  if (code === 'UND_ERR_INVALID_ARG') return fail('invalid_request', message);
  if (/^ERR_(TLS|SSL)|CERT/.test(code)) return fail('tls_failed', `no trust in the server: ${message}`);
  if (unconnected.has(code)) return fail('unreachable', `the server cannot be reached: ${message}`);
  return fail('connection_lost', `the connection to the server broke: ${message}`);
}

/** Errors before a connection stood. */
const unconnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** A name with several addresses fails with the errors of all of them; the first speaks for them. */
function innermost(error: unknown): { code: string; message: string } {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { code = '', message = String(first) } = (first ?? {}) as Partial<NodeJS.ErrnoException>;
  return { code, message };
}
