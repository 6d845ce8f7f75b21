/** Makes the errors of requests that failed. */
import { UnreadableAnswer } from '../http/answer-text.ts';
import type { Problem } from './api-types.ts';
import { AmendsClientError, type ClientErrorCode } from './client-error.ts';
import { abortedError, type Caller } from './pause.ts';
import { retryAfterMs } from './retry-pause.ts';

/** An answer that is not a success. */
interface Refusal {
  readonly status: number;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: object | null;
  readonly retryAfter: string | readonly string[] | undefined;
}

/** Makes the error of an answer that is not a success. */
export function refusalError({ status, text, json, retryAfter }: Refusal, { gid }: Caller): AmendsClientError {
  const { type, code, title, detail, issues, errors } = (json ?? {}) as Partial<Problem>;
  const details = { status, errors: issues ?? errors, gid, retryAfterMs: retryAfterMs(retryAfter) };
  if (code !== undefined && type === `urn:amends:error:${code}`)
    return new AmendsClientError(code, detail ?? title ?? code, details);
  return new AmendsClientError('unexpected_answer', `HTTP ${status} without a problem document: ${text.slice(0, 200)}`, details);
}

/** Makes the error of an exchange that ended without a whole answer. */
export function exchangeError(cause: unknown, caller: Caller, { timedOut }: { timedOut: boolean }): AmendsClientError {
  const fail = (code: ClientErrorCode, message: string) => new AmendsClientError(code, message, { gid: caller.gid, cause });
  if (caller.signal?.aborted === true) return abortedError(caller);
  if (cause instanceof UnreadableAnswer)
    return new AmendsClientError('unexpected_answer', cause.message, { status: cause.status, gid: caller.gid, cause });
  if (timedOut) return fail('timeout', 'the server did not answer in time');
  const { code, message } = innermost(cause);
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return fail('closed', 'the client has been closed');
  if (code === 'UND_ERR_INVALID_ARG') return fail('invalid_request', message);
  if (/^ERR_(TLS|SSL)|CERT/.test(code)) return fail('tls_failed', `no trust in the server: ${message}`);
  if (unconnected.has(code)) return fail('unreachable', `the server cannot be reached: ${message}`);
  return fail('connection_lost', `the connection to the server broke: ${message}`);
}

/** Codes of errors that happen before there is a connection. */
const unconnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** A host with several addresses fails with one error for each. The first of them is reported. */
function innermost(error: unknown): { code: string; message: string } {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { code = '', message = String(first) } = (first ?? {}) as Partial<NodeJS.ErrnoException>;
  return { code, message };
}
