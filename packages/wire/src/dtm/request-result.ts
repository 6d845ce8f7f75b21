/** What came of requests that begin, join or end a transaction, in DTM's words. */
import { type Gid, isFinished, limits, refuse, type Transaction, type Verdict } from '@amends/core';
import type { PresentedTransaction } from '../faces/presented-transaction.ts';
import { shown } from '../input/shown.ts';
import { keptOf } from './presentation.ts';
import { type DtmRefusal, type DtmResult, done, failure, notPrepared, ongoing } from './result.ts';

/** A submission that met a transaction of the same gid, or not, as the coordinator tells it. */
export interface SubmissionResult {
  readonly verdict: 'created' | 'repeated' | 'different';
  readonly transaction: Transaction;
}

/** What came of `prepare`. */
export function resultOfPrepare(gid: Gid, { verdict, transaction }: SubmissionResult): DtmResult {
  if (verdict === 'created' || transaction.status === 'prepared')
    return verdict === 'different' ? gidInUse(gid, 'prepare') : done;
  return failure(`current status '${transaction.status}', cannot prepare.`);
}

/**
 * What came of `submit` when it is known without waiting: whenever nothing new may run, or when the caller does not wait.
 * null: wait for the outcome, then `resultOfWait`.
 */
export function resultOfSubmit(
  { gid, wait_result: waits }: { readonly gid: Gid; readonly wait_result: boolean },
  { verdict, transaction }: SubmissionResult,
): DtmResult | null {
  if (verdict === 'different') return gidInUse(gid, 'submit');
  if (verdict === 'repeated' && isFinished(transaction)) return resultOfRepeated(transaction);
  if (waits) return null;
  return transaction.status === 'aborting' ? cannotSubmit(transaction) : done;
}

/** How it ended, told to whoever asks for it again: a client whose first answer was lost knows no more than this. */
function resultOfRepeated(transaction: Transaction): DtmResult {
  return transaction.status === 'succeed' ? done : cannotSubmit(transaction);
}

function gidInUse(gid: Gid, verb: string): DtmRefusal {
  return failure(`gid ${shown(gid)} is in use by a transaction with other content, cannot ${verb}.`);
}

/** With the reason of what is rolled back. The spelling is the protocol's. */
function cannotSubmit({ status, reason }: Transaction): DtmRefusal {
  return failure(`current status '${status}', cannot sumbmit. ${reason}`.trimEnd());
}

/** What a caller hears who has waited for the outcome that it wants. */
export function resultOfWait(transaction: Transaction, wanted: 'succeed' | 'failed' = 'succeed'): DtmResult {
  if (transaction.status === wanted) return done;
  if (isFinished(transaction)) return failure(transaction.reason);
  const held = transaction.hold === null ? '' : ', needs attention';
  return ongoing(`the outcome is open: status ${transaction.status}${held}`);
}

/** What became of a request to a transaction that exists. */
export interface RequestResult {
  readonly verdict: Verdict;
  readonly transaction: Transaction;
}

/** What came of `abort` when nothing is to be waited for; null: the transaction is on its way. */
export function resultOfAbort({ verdict, transaction }: RequestResult): DtmResult | null {
  if (verdict === 'taken' || verdict === 'repeated') return null;
  return failure(`trans type: '${transaction.mode}' current status '${transaction.status}', cannot abort.`);
}

/** What came of `registerBranch`. @throws AmendsError `invalid_request` when it does not fit */
export function resultOfRegistration(gid: Gid, branchId: string, { verdict }: Pick<RequestResult, 'verdict'>): DtmResult {
  switch (verdict) {
    case 'taken':
    case 'repeated':
      return done;
    case 'different':
      return failure(`branch ${shown(branchId)} is registered already with other content.`);
    case 'wrong_mode':
      return refuse('trans_type', `does not fit the transaction ${gid}`);
    case 'too_many':
      return refuse(
        'branch_id',
        `the transaction has ${limits.branchesMax} branches, or ${limits.payloadBytesMax} bytes in them, which is as many as are allowed`,
      );
    default:
      return notPrepared(gid);
  }
}

/** What came of the `submit` of a workflow. */
export function resultOfConclusion({ verdict, transaction }: RequestResult): DtmResult {
  if (verdict === 'taken' || verdict === 'repeated') return done;
  if (verdict === 'different')
    return failure(`current status '${transaction.status}' with another reason or result, cannot sumbmit.`);
  if (verdict === 'wrong_mode') return failure(`trans type: '${transaction.mode}' is no workflow, cannot sumbmit.`);
  return cannotSubmit(transaction);
}

/** Whether the stored request wants its callers to wait for the outcome. */
export function wantsToWait(view: PresentedTransaction): boolean {
  return keptOf(view.given.spec).options.wait_result === true;
}
