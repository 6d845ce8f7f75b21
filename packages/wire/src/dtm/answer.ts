/** DTM's envelope: what a handler found, as status and body. */
import { type AmendsError, errorKinds } from '@amends/core';
import { retryAfterSeconds } from '../faces/retry-after.ts';

/** Status and JSON body of an answer. */
export interface DtmAnswer {
  readonly status: number;
  readonly body: object;
  /** When to try again, for the `Retry-After` header; left out: repeating will not help. Seconds. */
  readonly retryAfterSeconds?: number;
}

/** Done, with nothing more to say. */
export const successAnswer: DtmAnswer = Object.freeze({ status: 200, body: Object.freeze({ dtm_result: 'SUCCESS' }) });

/** A business failure. Clients look for the word FAILURE at the end. */
export function failureAnswer(reason: string): DtmAnswer {
  const message = reason.endsWith('FAILURE') ? reason : `${reason} FAILURE`.trimStart();
  return { status: 409, body: { dtm_result: 'FAILURE', message } };
}

/** Not finished; ask again. Clients look for the word ONGOING; JSON-RPC and gRPC have no other place for it than the message. */
export function ongoingAnswer(reason: string): DtmAnswer {
  return { status: 425, body: { dtm_result: 'ONGOING', message: `${reason} ONGOING` } };
}

/** Anything else that went wrong. */
export function errorAnswer(status: number, message: string): DtmAnswer {
  return { status, body: { message } };
}

/** An operating error that no route has words of its own for. */
export function answerOf(error: AmendsError): DtmAnswer {
  const { httpStatus } = errorKinds[error.code];
  if (httpStatus === 409) return failureAnswer(error.message);
  const seconds = retryAfterSeconds(error);
  const answer = errorAnswer(httpStatus, error.message);
  return seconds === null ? answer : { ...answer, retryAfterSeconds: seconds };
}

/** The text of an unknown gid on routes that act on a transaction. */
export function noSuchTransaction(gid: string): DtmAnswer {
  return errorAnswer(500, `no TransGlobal with gid: ${gid} found`);
}

/** The text of `forceStop` on a finished transaction. */
export function cannotForceStop(status: string): DtmAnswer {
  return failureAnswer(`global transaction force stop error. status: ${status}. error:`);
}
