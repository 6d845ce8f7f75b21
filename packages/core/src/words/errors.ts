/**
 * Operating errors: what can go wrong without being a bug. One class, one closed table of codes; every face (native
 * HTTP, DTM, later gRPC) translates from here. `docs/errors.md` describes each code and a test holds the two together.
 */

interface ErrorKind {
  /** Status on the native HTTP API. */
  readonly httpStatus: number;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** One line for people; also the title of the problem document. */
  readonly title: string;
}

/** The closed table of operating errors, by code. */
export const errorKinds = {
  invalid_request: { httpStatus: 400, retryable: false, title: 'The request is not valid' },
  unauthorized: { httpStatus: 401, retryable: false, title: 'Authentication is required' },
  forbidden: { httpStatus: 403, retryable: false, title: 'This is not permitted' },
  not_found: { httpStatus: 404, retryable: false, title: 'There is no such thing here' },
  method_not_allowed: { httpStatus: 405, retryable: false, title: 'The address exists, but not for this method' },
  request_timeout: { httpStatus: 408, retryable: true, title: 'The request was not complete in time' },
  topic_not_found: { httpStatus: 404, retryable: false, title: 'There is no such topic, or nobody subscribes to it' },
  conflict: { httpStatus: 409, retryable: false, title: 'The gid is in use for something else' },
  version_conflict: { httpStatus: 409, retryable: false, title: 'The transaction has moved on since it was looked at' },
  wrong_status: { httpStatus: 409, retryable: false, title: 'The transaction is not in a state in which this can be done' },
  already_finished: { httpStatus: 409, retryable: false, title: 'The transaction is finished' },
  too_large: { httpStatus: 413, retryable: false, title: 'The request is too large' },
  unsupported_media_type: { httpStatus: 415, retryable: false, title: 'The body must be JSON' },
  expectation_failed: { httpStatus: 417, retryable: false, title: 'What the header Expect asks for cannot be met' },
  value_refused: { httpStatus: 422, retryable: false, title: 'The store does not take a value of this request' },
  headers_too_large: { httpStatus: 431, retryable: false, title: 'The headers are too large' },
  not_implemented: { httpStatus: 501, retryable: false, title: 'This is not supported by this version' },
  overloaded: { httpStatus: 503, retryable: true, title: 'The coordinator has as much work as it can hold' },
  stopping: { httpStatus: 503, retryable: true, title: 'The coordinator is stopping' },
  store_unavailable: { httpStatus: 503, retryable: true, title: 'The store cannot be written now' },
  store_refused: { httpStatus: 500, retryable: false, title: 'The store cannot be used as it is' },
  internal: { httpStatus: 500, retryable: false, title: 'Amends has a bug' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** An operating error; `message` says what is wrong, names the field and the remedy. */
export class AmendsError extends Error {
  override readonly name = 'AmendsError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Whether an unknown thrown value is an operating error, of one code when given. */
export function isAmendsError(error: unknown, code?: ErrorCode): error is AmendsError {
  return error instanceof AmendsError && (code === undefined || error.code === code);
}

/** Marks what cannot happen; a bug if it does. Closes every switch over a union. */
export function assertNever(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
