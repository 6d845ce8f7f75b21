/** Beginning a transaction, prepared or submitted: once, however often and wherever it is asked for. */
import {
  AmendsError,
  checkSagaSpec,
  deliveryBeginsAt,
  encodeSpec,
  type Gid,
  isSameRequest,
  isSameWork,
  mayBegin,
  refuse,
  type Spec,
  type StoredSpec,
  type Transaction,
} from '@amends/core';
import { refuseSpecTargets } from '../calls/address/targets.ts';
import type { SubmitRequest, Submitted, TransactionRequest } from '../coordinator.ts';
import type { Mailbox } from '../drive/mailbox.ts';
import type { Digest } from '../ports/ports.ts';
import { ask } from './asking.ts';
import { post, type Reception, untilAnswered } from './requests.ts';
import { viewOf } from './waiting.ts';
import { findStanding } from './whereabouts.ts';

/** What is to begin. */
export interface Submission {
  readonly gid: Gid;
  readonly spec: Spec;
}

/** How it is to begin. */
type How = 'prepared' | 'submitted';

/** See `Coordinator.submit`. */
export function submit({ gid, spec, onlySame = false }: SubmitRequest, digest: Digest, reception: Reception): Promise<Submitted> {
  return begin({ gid, spec, onlySame, how: 'submitted' }, digest, reception);
}

/** See `Coordinator.prepare`. */
export async function prepare(submission: Submission, digest: Digest, reception: Reception): Promise<Submitted> {
  const { spec } = submission;
  if (!mayBegin(spec, 'prepared')) refuse('mode', `a ${spec.mode} is submitted, not prepared`);
  return begin({ ...submission, onlySame: true, how: 'prepared' }, digest, reception);
}

interface Beginning extends Submission {
  readonly how: How;
  /** What exists is the same only when its options are, too. */
  readonly onlySame: boolean;
}

async function begin(beginning: Beginning, digest: Digest, reception: Reception): Promise<Submitted> {
  const { gid, spec, how } = beginning;
  if (spec.mode === 'saga') checkSagaSpec(spec);
  const encoded = encodeSpec(spec);
  const stored: StoredSpec = { ...encoded, digest: digest([encoded.plan, encoded.payloads]) };
  const mustExist = !mayBegin(spec, how);
  const refusal = refusalOf(spec, reception);
  const isNew = () => refusal === null && !mustExist && reception.drive.mailboxes.get(gid) === undefined;
  if (isNew()) {
    reception.refuseUnlessOpen();
    const answer = await postFirst(beginning, stored, reception);
    if (answer !== null) return answer;
  }
  return untilAnswered(gid, reception, async () => {
    if (isNew()) return postFirst(beginning, stored, reception);
    const answer = await answerKnown(beginning, stored.digest, reception);
    if (answer === null && refusal !== null) throw refusal;
    if (answer === null && mustExist)
      throw new AmendsError('not_found', [{ field: 'gid', message: `there is no prepared transaction ${gid}` }]);
    return answer;
  });
}

/** Why nothing may begin with these addresses; null: it may. What has begun is told of whatever may be called by now. */
function refusalOf(spec: Spec, { judgeAddress }: Reception): unknown {
  try {
    refuseSpecTargets(spec, judgeAddress);
    return null;
  } catch (error) {
    return error;
  }
}

async function postFirst(beginning: Beginning, stored: StoredSpec, reception: Reception): Promise<Submitted | null> {
  const { gid, spec, how } = beginning;
  const { drive } = reception;
  if (drive.mailboxes.room() === 0)
    throw new AmendsError('overloaded', `${drive.mailboxes.size} transactions are under way; try again in a moment`);
  const mailbox = drive.begin(gid, spec, stored);
  const event = { type: how, gid, owner: drive.node, ...drive.moment() } as const;
  if ((await post(mailbox, event)) !== 'lost') return { verdict: 'created', view: viewOf(mailbox) };
  reception.refuseUnlessOpen();
  return answerKnown(beginning, stored.digest, reception);
}

/**
 * What to answer for a gid that exists already; null when after all it does not. What is prepared goes on when it is submitted.
 */
async function answerKnown(
  { gid, spec, how, onlySame }: Beginning,
  digest: string,
  reception: Reception,
): Promise<Submitted | null> {
  const beginning = reception.drive.mailboxes.get(gid);
  if (beginning !== undefined && beginning.tx === null) await firstCommit(beginning, reception);
  const known = await findStanding(gid, reception);
  if (known === null) return null;
  const { transaction, given } = known.view;
  const isSame = known.digest === digest || isSameRequest(given.spec, spec) || (!onlySame && isSameWork(given.spec, spec));
  if (how === 'submitted' && transaction.status === 'prepared' && isSame) {
    const { verdict, view } = await ask(gid, submissionOf(spec, transaction), reception);
    return { verdict: verdict === 'taken' ? 'created' : 'repeated', view };
  }
  return { verdict: isSame ? 'repeated' : 'different', view: known.view };
}

/** Clients say only with the submission of a message how long it is to be delayed; that counts from its creation. */
function submissionOf(spec: Spec, { createdAt }: Pick<Transaction, 'createdAt'>): TransactionRequest {
  const isDelayed = spec.mode === 'msg' && (spec.delayMs > 0 || spec.notBefore !== null);
  return isDelayed ? { type: 'submitted', notBefore: deliveryBeginsAt(spec, createdAt) } : { type: 'submitted' };
}

/**
 * Waits for what becomes of another request that begins the same transaction, but not for a store that has failed.
 * @throws AmendsError `store_unavailable`
 */
async function firstCommit(mailbox: Mailbox, reception: Reception): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = () => {
      forgetChange();
      forgetFailure();
      resolve();
    };
    const forgetChange = mailbox.onChange(end);
    const forgetFailure = reception.drive.gate.onFailure(end);
  });
  if (mailbox.tx === null) reception.refuseUnlessOpen();
}
