/** `prepare`, `submit`, `abort`, `prepareWorkflow`: what is asked, and what is answered. */
import {
  AmendsError,
  type Gid,
  isFinished,
  limits,
  type Mode,
  refuse,
  type Spec,
  type Transaction,
  type Verdict,
} from '@amends/core';
import type { SubscribersOf } from '../faces/msg-deliveries.ts';
import type { PresentedTransaction } from '../faces/presented-transaction.ts';
import { checkMetadataText } from '../input/outbound.ts';
import { shown } from '../input/shown.ts';
import { type DtmAnswer, errorAnswer, failureAnswer, noSuchTransaction, ongoingAnswer, successAnswer } from './answer.ts';
import { parseDtmGid } from './gid.ts';
import { keptOf } from './presentation.ts';
import { msgSpecOf } from './specs/msg-spec.ts';
import type { DtmDefaults } from './specs/options.ts';
import { sagaSpecOf } from './specs/saga-spec.ts';
import { twoPhaseSpecOf } from './specs/two-phase-spec.ts';
import { base64, workflowSpecOf } from './specs/workflow-spec.ts';
import type { DtmTransaction } from './transaction.ts';

/** A checked submission of something that may begin with it. */
export interface DtmSubmission {
  readonly gid: Gid;
  readonly spec: Spec;
  /** Answer when the outcome is known. */
  readonly waits: boolean;
}

/** What a transaction's type says. @throws AmendsError `invalid_request` naming `trans_type` */
export function modeOf({ trans_type: type }: DtmTransaction): Mode {
  if (!modes.has(type)) refuse('trans_type', `is ${shown(type)}, must be "saga", "msg", "tcc", "xa" or "workflow"`);
  return type as Mode;
}

const modes: ReadonlySet<string> = new Set(['saga', 'msg', 'tcc', 'xa', 'workflow']);

/** What makes a spec of a DTM transaction. */
export interface SpecContext {
  readonly defaults: DtmDefaults;
  readonly subscribersOf: SubscribersOf;
}

/**
 * The transaction that a body describes.
 * @throws AmendsError `invalid_request` naming the field; `topic_not_found`
 */
export function parseSubmission(dtm: DtmTransaction, context: SpecContext): DtmSubmission {
  const gid = parseDtmGid(dtm.gid);
  const spec = specOf(dtm, context);
  checkMetadataText('gid', gid, spec.protocol);
  return { gid, spec, waits: dtm.wait_result };
}

function specOf(dtm: DtmTransaction, { defaults, subscribersOf }: SpecContext): Spec {
  const mode = modeOf(dtm);
  switch (mode) {
    case 'saga':
      return sagaSpecOf(dtm, defaults);
    case 'msg':
      return msgSpecOf(dtm, defaults, subscribersOf);
    case 'tcc':
    case 'xa':
      return twoPhaseSpecOf(dtm, mode, defaults);
    case 'workflow':
      return workflowSpecOf(dtm, defaults);
  }
}

/** How a workflow ended. */
export interface DtmConclusion {
  readonly gid: Gid;
  readonly status: 'succeed' | 'failed';
  readonly reason: string;
  readonly result: Uint8Array;
}

/**
 * What the `submit` of a workflow says.
 * @throws AmendsError `invalid_request` naming the field
 */
export function parseConclusion({ gid, req_extra: extra }: DtmTransaction): DtmConclusion {
  const { status = '', rollback_reason: reason = '', result = '' } = extra;
  if (status !== 'succeed' && status !== 'failed') refuse('req_extra.status', `is ${shown(status)}, must be succeed or failed`);
  return { gid: parseDtmGid(gid), status, reason, result: base64('req_extra.result', result) };
}

/** A submission that met a transaction of the same gid, or not, as the coordinator tells it. */
export interface SubmissionResult {
  readonly outcome: 'created' | 'repeated' | 'different';
  readonly transaction: Transaction;
}

export function preparedAnswer(gid: Gid, { outcome, transaction }: SubmissionResult): DtmAnswer {
  if (outcome === 'created' || transaction.status === 'prepared')
    return outcome === 'different' ? gidInUse(gid, 'prepare') : successAnswer;
  return failureAnswer(`current status '${transaction.status}', cannot prepare.`);
}

/**
 * The answer when it is known without waiting: whenever nothing new may run, or when the caller does not wait.
 * null: wait for the outcome, then `waitedAnswer`.
 */
export function submittedAnswer(
  { gid, waits }: Pick<DtmSubmission, 'gid' | 'waits'>,
  { outcome, transaction }: SubmissionResult,
): DtmAnswer | null {
  if (outcome === 'different') return gidInUse(gid, 'submit');
  if (outcome === 'repeated' && isFinished(transaction)) return endedAnswer(transaction);
  if (waits) return null;
  return transaction.status === 'aborting' ? cannotSubmit(transaction) : successAnswer;
}

/** How it ended, told to whoever asks for it again: a client whose first answer was lost knows no more than this. */
function endedAnswer(transaction: Transaction): DtmAnswer {
  return transaction.status === 'succeed' ? successAnswer : cannotSubmit(transaction);
}

function gidInUse(gid: Gid, verb: string): DtmAnswer {
  return failureAnswer(`gid ${shown(gid)} is in use by a transaction with other content, cannot ${verb}.`);
}

/** With the reason of what is rolled back. The spelling is the protocol's. */
function cannotSubmit({ status, reason }: Transaction): DtmAnswer {
  return failureAnswer(`current status '${status}', cannot sumbmit. ${reason}`.trimEnd());
}

/** The answer to a caller that has waited for the outcome that it wants. */
export function waitedAnswer(transaction: Transaction, wanted: 'succeed' | 'failed' = 'succeed'): DtmAnswer {
  if (transaction.status === wanted) return successAnswer;
  if (isFinished(transaction)) return failureAnswer(transaction.reason);
  return ongoingAnswer(
    `the outcome is open: status ${transaction.status}${transaction.hold === null ? '' : ', needs attention'}`,
  );
}

/** What became of a request to a transaction that exists. */
export interface RequestResult {
  readonly verdict: Verdict;
  readonly transaction: Transaction;
}

/** The answer to `abort` when nothing is to be waited for; null: the transaction is on its way. */
export function abortedAnswer({ verdict, transaction }: RequestResult): DtmAnswer | null {
  if (verdict === 'taken' || verdict === 'repeated') return null;
  return failureAnswer(`trans type: '${transaction.mode}' current status '${transaction.status}', cannot abort.`);
}

/** The answer to `registerBranch`. */
export function registeredAnswer(gid: Gid, branchId: string, { verdict }: RequestResult): DtmAnswer {
  switch (verdict) {
    case 'taken':
    case 'repeated':
      return successAnswer;
    case 'different':
      return failureAnswer(`branch ${shown(branchId)} is registered already with other content.`);
    case 'wrong_mode':
      return errorAnswer(400, `trans_type: does not fit the transaction ${gid}`);
    case 'too_many':
      return errorAnswer(
        400,
        `branch_id: the transaction has ${limits.branchesMax} branches, or ${limits.payloadBytesMax} bytes in them, which is as many as are allowed`,
      );
    default:
      return notPrepared(gid);
  }
}

/** The answer to a registration that comes too late, or for a transaction that is not there. */
export function notPrepared(gid: Gid): DtmAnswer {
  return failureAnswer(`no trans with gid: ${gid} status: prepared found`);
}

/** The answer to the `submit` of a workflow. */
export function concludedAnswer({ verdict, transaction }: RequestResult): DtmAnswer {
  if (verdict === 'taken' || verdict === 'repeated') return successAnswer;
  if (verdict === 'different')
    return failureAnswer(`current status '${transaction.status}' with another reason or result, cannot sumbmit.`);
  if (verdict === 'wrong_mode') return failureAnswer(`trans type: '${transaction.mode}' is no workflow, cannot sumbmit.`);
  return cannotSubmit(transaction);
}

/** Whether the stored request wants its callers to wait for the outcome. */
export function wantsToWait(view: PresentedTransaction): boolean {
  return keptOf(view.given.spec).options.wait_result === true;
}

/** The answer where a transaction must exist and does not. */
export function missingAnswer(error: unknown, gid: Gid): DtmAnswer {
  if (error instanceof AmendsError && error.code === 'not_found') return noSuchTransaction(gid);
  throw error;
}
