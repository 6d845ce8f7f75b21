/** Answers as gRPC gives them: a reply, or a status with a text. */
import type { AmendsError, ErrorCode } from '@amends/core';
import type { DtmAnswer } from '../dtm/answer.ts';
import type { PresentedTransaction } from '../faces/presented-transaction.ts';
import type { GrpcProgresses } from './messages.ts';

/** Status codes of gRPC that are used here (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const grpcCodes = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** A status that is not OK. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
}

/** The status of an answer; null: it is a success. */
export function grpcStatusOf({ status, body }: DtmAnswer): GrpcStatus | null {
  if (status === 200) return null;
  const { message = '' } = body as { message?: string };
  return { code: codeOfStatus(status), message };
}

function codeOfStatus(status: number): number {
  switch (status) {
    case 400:
      return grpcCodes.invalidArgument;
    case 409:
      return grpcCodes.aborted;
    case 425:
      return grpcCodes.failedPrecondition;
    case 501:
      return grpcCodes.unimplemented;
    case 503:
      return grpcCodes.unavailable;
    default:
      return grpcCodes.unknown;
  }
}

const codes: Partial<Record<ErrorCode, number>> = {
  invalid_request: grpcCodes.invalidArgument,
  too_large: grpcCodes.invalidArgument,
  value_refused: grpcCodes.invalidArgument,
  topic_not_found: grpcCodes.unknown,
  not_implemented: grpcCodes.unimplemented,
  overloaded: grpcCodes.unavailable,
  stopping: grpcCodes.unavailable,
  store_unavailable: grpcCodes.unavailable,
  conflict: grpcCodes.aborted,
  version_conflict: grpcCodes.aborted,
  already_finished: grpcCodes.aborted,
  internal: grpcCodes.internal,
};

/** The status of an operating error. */
export function grpcStatusOfError(error: AmendsError): GrpcStatus {
  return { code: codes[error.code] ?? grpcCodes.unknown, message: error.message };
}

/** What a workflow's function must know, its result included once there is one. */
export function progressesOf({ transaction, given }: PresentedTransaction): GrpcProgresses {
  const { gid, status, reason } = transaction;
  const result = given.result === null ? '' : Buffer.from(given.result).toString('base64');
  return {
    Transaction: { Gid: gid, Status: status, RollbackReason: reason, Result: result },
    Progresses: given.registered.flatMap((branch) =>
      branch.kind === 'progress'
        ? [{ Status: branch.status, BinData: branch.payload, BranchID: branch.branchId, Op: branch.op }]
        : [],
    ),
  };
}
