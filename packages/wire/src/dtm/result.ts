/**
 * What came of an operation of DTM's, whichever protocol asked for it. HTTP, JSON-RPC and gRPC render it; operating errors are
 * thrown, and rendered from core's table of errors.
 */
import { type AmendsError, errorKinds, type Gid } from '@amends/core';
import type { DtmRecord } from './shown/record.ts';

/** One result. Which kinds an operation has, the operation says. */
export type DtmResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'gid'; readonly gid: Gid }
  /** What the function of a workflow must know to run again. */
  | { readonly kind: 'workflow'; readonly record: DtmRecord }
  /** What a query shows, as JSON. */
  | { readonly kind: 'found'; readonly body: object }
  | DtmRefusal;

/** A result that says no: the business has failed, is not over, or the request cannot be met in DTM's own words for that. */
export interface DtmRefusal {
  readonly kind: 'failure' | 'ongoing' | 'trouble';
  readonly reason: string;
}

export const done: DtmResult = Object.freeze({ kind: 'done' });

/** How each protocol says a refusal. */
export const refusalKinds = {
  failure: { httpStatus: 409, grpcStatus: 'ABORTED', jsonRpcCode: -32901, dtmResult: 'FAILURE' },
  ongoing: { httpStatus: 425, grpcStatus: 'FAILED_PRECONDITION', jsonRpcCode: -32902, dtmResult: 'ONGOING' },
  trouble: { httpStatus: 500, grpcStatus: 'UNKNOWN', jsonRpcCode: -32603, dtmResult: null },
} as const satisfies Record<DtmRefusal['kind'], object>;

/** An operating error that is a failure to DTM's clients, as a conflict is; null: it is an error to them, too. */
export function failureOf({ code, message }: AmendsError): DtmRefusal | null {
  return errorKinds[code].jsonRpcCode === refusalKinds.failure.jsonRpcCode ? failure(message) : null;
}

/** What a query shows. */
export function found(body: object): DtmResult {
  return { kind: 'found', body };
}

/** The business has failed. */
export function failure(reason: string): DtmRefusal {
  return { kind: 'failure', reason };
}

/** The outcome is open: whoever asks again may hear of it. */
export function ongoing(reason: string): DtmRefusal {
  return { kind: 'ongoing', reason };
}

/** DTM's own words for what cannot be done; its clients compare some of them. */
export function trouble(reason: string): DtmRefusal {
  return { kind: 'trouble', reason };
}

/** Whether a result says no. */
export function isRefusal(result: DtmResult): result is DtmRefusal {
  return result.kind === 'failure' || result.kind === 'ongoing' || result.kind === 'trouble';
}

/** The message of a refusal. Clients look for FAILURE and ONGOING at its end: gRPC and JSON-RPC have no other place for them. */
export function refusalText({ kind, reason }: DtmRefusal): string {
  if (kind === 'failure') return reason.endsWith('FAILURE') ? reason : `${reason} FAILURE`.trimStart();
  return kind === 'ongoing' ? `${reason} ONGOING` : reason;
}

/** There is no such transaction, on routes that act on one. */
export function noSuchTransaction(gid: Gid): DtmRefusal {
  return trouble(`no TransGlobal with gid: ${gid} found`);
}

/** There is none that is prepared: a registration comes too late, or was never announced. */
export function notPrepared(gid: Gid): DtmRefusal {
  return failure(`no trans with gid: ${gid} status: prepared found`);
}

/** What is finished cannot be stopped. */
export function cannotForceStop(status: string): DtmRefusal {
  return failure(`global transaction force stop error. status: ${status}. error:`);
}
