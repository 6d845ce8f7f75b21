/** Answers as gRPC gives them: a reply, or a status with a text. */
import { type AmendsError, errorKinds } from '@amends/core';
import { type DtmRefusal, type DtmResult, failureOf, isRefusal, refusalKinds, refusalText } from '../dtm/result.ts';
import type { PresentedTransaction } from '../faces/presented-transaction.ts';
import type { GrpcProgresses } from './messages.ts';

/** Numbers of the statuses of gRPC that are used here, by name (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const grpcCodes = {
  OK: 0,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** A status that is not OK. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
}

/** A reply, or why there is none. */
export type GrpcAnswer = { readonly reply: object } | { readonly status: GrpcStatus };

/** The answer of a result. */
export function grpcAnswerOf(result: DtmResult): GrpcAnswer {
  if (isRefusal(result)) return { status: statusOf(result) };
  switch (result.kind) {
    case 'gid':
      return { reply: { Gid: result.gid } };
    case 'workflow':
      return { reply: makeProgresses(result.record) };
    default:
      return { reply: {} };
  }
}

function statusOf(refusal: DtmRefusal): GrpcStatus {
  return { code: grpcCodes[refusalKinds[refusal.kind].grpcStatus], message: refusalText(refusal) };
}

/** The answer of an operating error; to DTM's clients a conflict is a failure. */
export function grpcAnswerOfError(error: AmendsError): GrpcAnswer {
  const refusal = failureOf(error);
  if (refusal !== null) return { status: statusOf(refusal) };
  return { status: { code: grpcCodes[errorKinds[error.code].grpcStatus], message: error.message } };
}

/** What a workflow's function must know, its result included once there is one. */
function makeProgresses({ transaction, given }: PresentedTransaction): GrpcProgresses {
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
