/** Results as DTM's HTTP API shows them. */
import { type AmendsError, errorKinds } from '@amends/core';
import { retryAfterSeconds } from '../faces/retry-after.ts';
import { type DtmRefusal, type DtmResult, failure, refusalText } from './result.ts';
import { workflowBody } from './shown/query.ts';

/** Status and JSON body of an answer. */
export interface DtmAnswer {
  readonly status: number;
  readonly body: object;
  /** When to try again, for the `Retry-After` header; left out: repeating will not help. Seconds. */
  readonly retryAfterSeconds?: number;
}

const success: DtmAnswer = Object.freeze({ status: 200, body: Object.freeze({ dtm_result: 'SUCCESS' }) });

/** The answer of a result. */
export function dtmAnswerOf(result: DtmResult): DtmAnswer {
  switch (result.kind) {
    case 'done':
      return success;
    case 'gid':
      return { status: 200, body: { dtm_result: 'SUCCESS', gid: result.gid } };
    case 'workflow':
      return { status: 200, body: workflowBody(result.record) };
    case 'found':
      return { status: 200, body: result.body };
    default:
      return refusalAnswer(result);
  }
}

function refusalAnswer(refusal: DtmRefusal): DtmAnswer {
  const message = refusalText(refusal);
  switch (refusal.kind) {
    case 'failure':
      return { status: 409, body: { dtm_result: 'FAILURE', message } };
    case 'ongoing':
      return { status: 425, body: { dtm_result: 'ONGOING', message } };
    case 'trouble':
      return { status: 500, body: { message } };
  }
}

/** The answer of an operating error; to DTM's clients a conflict is a failure. */
export function dtmAnswerOfError(error: AmendsError): DtmAnswer {
  const { httpStatus: status } = errorKinds[error.code];
  if (status === 409) return refusalAnswer(failure(error.message));
  const answer = { status, body: { message: error.message } };
  const seconds = retryAfterSeconds(error);
  return seconds === null ? answer : { ...answer, retryAfterSeconds: seconds };
}
