/**
 * Operating errors: what can go wrong without being a bug. One class, one closed table of codes, from which every face reads how
 * it says them. `docs/errors.md` describes each code and a test holds the two together.
 */

/** The statuses of gRPC that errors have. */
type GrpcStatusName =
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'PERMISSION_DENIED'
  | 'ABORTED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

interface ErrorKind {
  readonly httpStatus: number;
  /** Name of a status of gRPC (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
  readonly grpcStatus: GrpcStatusName;
  /** Code in an answer by JSON-RPC: those of the standard, and DTM's own for a failure. */
  readonly jsonRpcCode: number;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** One line for people; also the title of the problem document. */
  readonly title: string;
}

/** The closed table of operating errors, by code. */
export const errorKinds = {
  invalid_request: {
    httpStatus: 400,
    grpcStatus: 'INVALID_ARGUMENT',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'The request is not valid',
  },
  unauthorized: {
    httpStatus: 401,
    grpcStatus: 'UNAUTHENTICATED',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'Authentication is required',
  },
  forbidden: {
    httpStatus: 403,
    grpcStatus: 'PERMISSION_DENIED',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'This is not permitted',
  },
  not_found: {
    httpStatus: 404,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'There is no such thing here',
  },
  method_not_allowed: {
    httpStatus: 405,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'The address exists, but not for this method',
  },
  request_timeout: {
    httpStatus: 408,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32603,
    retryable: true,
    title: 'The request was not complete in time',
  },
  topic_not_found: {
    httpStatus: 404,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'There is no such topic, or nobody subscribes to it',
  },
  conflict: {
    httpStatus: 409,
    grpcStatus: 'ABORTED',
    jsonRpcCode: -32901,
    retryable: false,
    title: 'The gid is in use for something else',
  },
  version_conflict: {
    httpStatus: 409,
    grpcStatus: 'ABORTED',
    jsonRpcCode: -32901,
    retryable: false,
    title: 'The transaction has moved on since it was looked at',
  },
  wrong_status: {
    httpStatus: 409,
    grpcStatus: 'ABORTED',
    jsonRpcCode: -32901,
    retryable: false,
    title: 'The transaction is not in a state in which this can be done',
  },
  already_finished: {
    httpStatus: 409,
    grpcStatus: 'ABORTED',
    jsonRpcCode: -32901,
    retryable: false,
    title: 'The transaction is finished',
  },
  too_large: {
    httpStatus: 413,
    grpcStatus: 'INVALID_ARGUMENT',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'The request is too large',
  },
  unsupported_media_type: {
    httpStatus: 415,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32700,
    retryable: false,
    title: 'The body must be JSON',
  },
  expectation_failed: {
    httpStatus: 417,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'What the header Expect asks for cannot be met',
  },
  value_refused: {
    httpStatus: 422,
    grpcStatus: 'INVALID_ARGUMENT',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'The store does not take a value of this request',
  },
  headers_too_large: {
    httpStatus: 431,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'The headers are too large',
  },
  not_implemented: {
    httpStatus: 501,
    grpcStatus: 'UNIMPLEMENTED',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'This is not supported by this version',
  },
  overloaded: {
    httpStatus: 503,
    grpcStatus: 'UNAVAILABLE',
    jsonRpcCode: -32603,
    retryable: true,
    title: 'The coordinator has as much work as it can hold',
  },
  stopping: {
    httpStatus: 503,
    grpcStatus: 'UNAVAILABLE',
    jsonRpcCode: -32603,
    retryable: true,
    title: 'The coordinator is stopping',
  },
  store_unavailable: {
    httpStatus: 503,
    grpcStatus: 'UNAVAILABLE',
    jsonRpcCode: -32603,
    retryable: true,
    title: 'The store cannot be written now',
  },
  store_refused: {
    httpStatus: 500,
    grpcStatus: 'UNKNOWN',
    jsonRpcCode: -32603,
    retryable: false,
    title: 'The store cannot be used as it is',
  },
  internal: { httpStatus: 500, grpcStatus: 'INTERNAL', jsonRpcCode: -32603, retryable: false, title: 'Amends has a bug' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** One complaint about one field of a request. */
export interface FieldIssue {
  /** Path in the request such as `steps[0].action`; `body`: the body as a whole. */
  readonly field: string;
  /** What is wrong and what would be right. */
  readonly message: string;
}

/** An operating error. `message` says what is wrong and what helps; where fields are to blame it names each of `issues`. */
export class AmendsError extends Error {
  override readonly name = 'AmendsError';
  readonly code: ErrorCode;
  /** Empty: no field is to blame. */
  readonly issues: readonly FieldIssue[];

  /** @param what a sentence, or the fields that are to blame */
  constructor(code: ErrorCode, what: string | readonly FieldIssue[], options?: { cause?: unknown }) {
    super(typeof what === 'string' ? what : textOf(what), options);
    this.code = code;
    this.issues = typeof what === 'string' ? [] : what;
  }
}

function textOf(issues: readonly FieldIssue[]): string {
  return issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
}

/** Refuses a request for one field. @throws AmendsError `invalid_request`, always */
export function refuse(field: string, message: string): never {
  throw new AmendsError('invalid_request', [{ field, message }]);
}

/** Whether an unknown thrown value is an operating error, of one code when given. */
export function isAmendsError(error: unknown, code?: ErrorCode): error is AmendsError {
  return error instanceof AmendsError && (code === undefined || error.code === code);
}

/** Marks what cannot happen; a bug if it does. Closes every switch over a union. */
export function assertNever(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
