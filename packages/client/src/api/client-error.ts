/** The one error class of the client. */
import type { FieldError, ServerErrorCode } from './api-types.ts';

/**
 * Why a request failed: a code of the server, or one of the client's own.
 * - `unreachable`: no connection could be made; nothing has been asked
 * - `tls_failed`: the server could not show who it is; nothing has been asked
 * - `connection_lost`, `timeout`: there was no complete answer; the request may have taken effect
 * - `aborted`: the caller's signal; the request may have taken effect
 * - `closed`: the client has been closed
 * - `unexpected_answer`: the answer came from another kind of server, or from a proxy that failed
 */
export type ClientErrorCode =
  | ServerErrorCode
  | 'unreachable'
  | 'tls_failed'
  | 'connection_lost'
  | 'timeout'
  | 'aborted'
  | 'closed'
  | 'unexpected_answer';

/** The fields of an `AmendsClientError` beside its code and message. */
export interface ClientErrorDetails {
  readonly status?: number | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  readonly gid?: string | undefined;
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/** A request to Amends that failed; `message` says why, `cause` is the error beneath. */
export class AmendsClientError extends Error {
  override readonly name = 'AmendsClientError';
  readonly code: ClientErrorCode;
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  /** The fields that are wrong; empty: it is not about fields. */
  readonly errors: readonly FieldError[];
  /** The transaction that it is about: `submit` with this gid again is safe. Null: none. */
  readonly gid: string | null;
  /** The pause that the server asked for. Milliseconds; null: it did not. */
  readonly retryAfterMs: number | null;

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status ?? null;
    this.errors = details.errors ?? [];
    this.gid = details.gid ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }
}

/** Makes the error of a field that the client itself has found wrong. */
export function invalidField(field: string, message: string): AmendsClientError {
  return new AmendsClientError('invalid_request', `${field}: ${message}`, { errors: [{ field, message }] });
}
