/** Results as DTM's HTTP API shows them. */
import { type AmendsError, errorKinds } from '@amends/core';
import { retryAfterSeconds } from '../faces/retry-after.ts';
import { type DtmRefusal, type DtmResult, failureOf, isRefusal, refusalKinds, refusalText } from './result.ts';
import { resultBody } from './shown/result-body.ts';

/** Status and JSON body of an answer. */
export interface DtmAnswer {
  readonly status: number;
  readonly body: object;
  /** When to try again, for the `Retry-After` header; left out: repeating will not help. Seconds. */
  readonly retryAfterSeconds?: number;
}

/** The answer of a result. */
export function dtmAnswerOf(result: DtmResult): DtmAnswer {
  return isRefusal(result) ? refusalAnswer(result) : { status: 200, body: resultBody(result) };
}

function refusalAnswer(refusal: DtmRefusal): DtmAnswer {
  const { httpStatus: status, dtmResult } = refusalKinds[refusal.kind];
  const message = refusalText(refusal);
  return { status, body: dtmResult === null ? { message } : { dtm_result: dtmResult, message } };
}

/** The answer of an operating error; to DTM's clients a conflict is a failure. */
export function dtmAnswerOfError(error: AmendsError): DtmAnswer {
  const refusal = failureOf(error);
  if (refusal !== null) return refusalAnswer(refusal);
  const answer = { status: errorKinds[error.code].httpStatus, body: { message: error.message } };
  const seconds = retryAfterSeconds(error);
  return seconds === null ? answer : { ...answer, retryAfterSeconds: seconds };
}
