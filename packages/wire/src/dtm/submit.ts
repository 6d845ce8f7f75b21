/** `submit`: what is asked, and what is answered. */
import { AmendsError, type Gid, isFinished, parseGid, type SagaSpec, type Trace, type Transaction } from '@amends/core';
import { refuse, shown } from '../field-error.ts';
import { type DtmAnswer, failureAnswer, ongoingAnswer, successAnswer } from './answer.ts';
import { type DtmDefaults, sagaSpecOf } from './saga-spec.ts';
import { parseDtmTransaction } from './transaction.ts';

/** A checked submission. */
export interface DtmSubmission {
  readonly gid: Gid;
  readonly spec: SagaSpec;
  /** Answer when the outcome is known. */
  readonly waits: boolean;
}

/** Types that DTM has and this version has not. */
const laterTypes: ReadonlySet<string> = new Set(['msg', 'tcc', 'xa', 'workflow']);

/**
 * Reads the body of `submit`.
 * @param trace the trace that the request belongs to, by its header `traceparent`
 * @throws AmendsError `invalid_request` naming the field; `not_implemented` for types that this version does not know
 */
export function parseSubmit(body: unknown, defaults: DtmDefaults, trace: Trace | null = null): DtmSubmission {
  const dtm = parseDtmTransaction(body);
  checkType(dtm.trans_type);
  return { gid: parseDtmGid(dtm.gid), spec: sagaSpecOf(dtm, defaults, trace), waits: dtm.wait_result };
}

function checkType(type: string): void {
  if (type === 'saga') return;
  if (laterTypes.has(type))
    throw new AmendsError('not_implemented', `trans_type ${type} is not supported by this version; it knows saga`);
  refuse('trans_type', `is ${shown(type)}, must be "saga"`);
}

const strippedCharacters = /[\n\r;]/g;

/**
 * A gid as DTM takes it: line breaks and semicolons are dropped.
 * @throws AmendsError `invalid_request` naming `gid`
 */
export function parseDtmGid(text: string): Gid {
  const gid = text.replace(strippedCharacters, '');
  if (gid === '') refuse('gid', 'is missing; take one from newGid');
  return parseGid(gid);
}

/** A submission that met a transaction of the same gid, or not, as the coordinator tells it. */
export interface SubmissionResult {
  readonly outcome: 'created' | 'repeated' | 'different';
  readonly transaction: Transaction;
}

/**
 * The answer when it is known without waiting: whenever nothing new may run, or when the caller does not wait.
 * null: wait for the outcome, then `waitedAnswer`.
 */
export function submittedAnswer({ gid, waits }: DtmSubmission, { outcome, transaction }: SubmissionResult): DtmAnswer | null {
  if (outcome !== 'created' && isFinished(transaction)) return cannotSubmit(transaction);
  if (outcome === 'repeated' && transaction.status === 'aborting') return waits ? null : cannotSubmit(transaction);
  if (outcome === 'different')
    return failureAnswer(`gid ${shown(gid)} is in use by a transaction with other content, cannot submit.`);
  return waits ? null : successAnswer;
}

/** The spelling is the protocol's. */
function cannotSubmit(transaction: Transaction): DtmAnswer {
  return failureAnswer(`current status '${transaction.status}', cannot sumbmit.`);
}

/** The answer to a caller that has waited. */
export function waitedAnswer(transaction: Transaction): DtmAnswer {
  switch (transaction.status) {
    case 'succeed':
      return successAnswer;
    case 'failed':
      return failureAnswer(transaction.reason);
    default:
      return ongoingAnswer(
        `the outcome is open: status ${transaction.status}${transaction.hold === null ? '' : ', needs attention'}`,
      );
  }
}
