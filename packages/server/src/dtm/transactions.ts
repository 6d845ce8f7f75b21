/** Transactions by DTM's API: prepared, submitted, aborted, joined. */
import type { Requested, TransactionRequest, TransactionView } from '@amends/coordinator';
import { type Gid, isAmendsError, isFinished, limits, refuse, type Spec } from '@amends/core';
import {
  abortReasonOf,
  checkRegistered,
  type DtmRegistration,
  type DtmResult,
  type DtmTransaction,
  done,
  makeDtmSpec,
  noSuchTransaction,
  notPrepared,
  parseConclusion,
  resultOfAbort,
  resultOfConclusion,
  resultOfPrepare,
  resultOfRegistration,
  resultOfSubmit,
  resultOfWait,
  settledSubscribers,
  topicsOf,
  wantsToWait,
} from '@amends/wire/dtm';
import type { DtmParts, DtmRequest } from './operation.ts';

/** Announces a transaction. */
export async function prepare(dtm: DtmTransaction, parts: DtmParts): Promise<DtmResult> {
  const { gid } = dtm;
  const { verdict, view } = await parts.coordinator.prepare({ gid, spec: await makeSpec(dtm, parts) });
  return resultOfPrepare(gid, { verdict, transaction: view.transaction });
}

/** Begins a transaction, or has a prepared one done; a workflow is concluded by it. */
export async function submit(dtm: DtmTransaction, parts: DtmParts, request: DtmRequest): Promise<DtmResult> {
  if (dtm.mode === 'workflow') return conclude(dtm, parts);
  const made = makeSpec(dtm, parts);
  const spec = made instanceof Promise ? await made : made;
  try {
    const { verdict, view } = await parts.coordinator.submit({ gid: dtm.gid, spec });
    const result = resultOfSubmit(dtm, { verdict, transaction: view.transaction });
    return result ?? (await waitFor(view, 'succeed', parts, request));
  } catch (error) {
    // Nothing was prepared under this gid, as its mode wants.
    if (isAmendsError(error, 'not_found')) return notPrepared(dtm.gid);
    throw error;
  }
}

/** Has a prepared transaction not done. */
export async function abort(dtm: DtmTransaction, parts: DtmParts, request: DtmRequest): Promise<DtmResult> {
  const asked = await ask(dtm.gid, { type: 'aborted', reason: abortReasonOf(dtm) }, parts);
  if (asked === null) return noSuchTransaction(dtm.gid);
  const { verdict, view } = asked;
  const result = resultOfAbort({ verdict, transaction: view.transaction });
  if (result !== null) return result;
  return wantsToWait(view) ? waitFor(view, 'failed', parts, request) : done;
}

/** Adds a branch, or records a step of a workflow. */
export async function registerBranch({ gid, mode, branch }: DtmRegistration, parts: DtmParts): Promise<DtmResult> {
  const known = await parts.coordinator.get(gid);
  if (known === null) return notPrepared(gid);
  if (known.transaction.mode !== mode) refuse('trans_type', `is ${mode}, but ${gid} is a ${known.transaction.mode}`);
  checkRegistered(branch, known.given.spec.protocol);
  const asked = await ask(gid, { type: 'registered', branch }, parts);
  return asked === null ? noSuchTransaction(gid) : resultOfRegistration(gid, branch.branchId, asked);
}

/** Announces a workflow, and tells what its function must know to run, or to run again. */
export async function prepareWorkflow(dtm: DtmTransaction, parts: DtmParts): Promise<DtmResult> {
  const { gid } = dtm;
  const { verdict, view } = await parts.coordinator.prepare({ gid, spec: await makeSpec(dtm, parts) });
  const isOther = verdict === 'different' && view.transaction.mode !== 'workflow';
  if (isOther) return resultOfPrepare(gid, { verdict, transaction: view.transaction });
  return { kind: 'workflow', record: await parts.records.of(view) };
}

async function conclude(dtm: DtmTransaction, parts: DtmParts): Promise<DtmResult> {
  const asked = await ask(dtm.gid, { type: 'concluded', ...parseConclusion(dtm) }, parts);
  if (asked === null) return noSuchTransaction(dtm.gid);
  return resultOfConclusion({ verdict: asked.verdict, transaction: asked.view.transaction });
}

/** At once, unless the message names topics. */
function makeSpec(dtm: DtmTransaction, parts: DtmParts): Spec | Promise<Spec> {
  const names = topicsOf(dtm);
  if (names.length === 0) return makeDtmSpec(dtm, { defaults: parts.defaults, subscribersOf: () => undefined });
  return subscribersFor(dtm.gid, names, parts).then((subscribers) =>
    makeDtmSpec(dtm, { defaults: parts.defaults, subscribersOf: (topic) => subscribers.get(topic) }),
  );
}

type Subscribers = ReadonlyMap<string, readonly string[]>;

/** Who subscribes is settled when a message begins; a topic may have changed, or be gone, by the time it is asked for again. */
async function subscribersFor(gid: Gid, names: readonly string[], { coordinator, topics }: DtmParts): Promise<Subscribers> {
  const known = await coordinator.get(gid);
  const settled: Subscribers = known === null ? new Map() : settledSubscribers(known.given.spec);
  const others = names.filter((name) => !settled.has(name));
  return others.length === 0 ? settled : new Map([...settled, ...(await topics.subscribers(others))]);
}

/** null: there is no such transaction. */
async function ask(gid: Gid, request: TransactionRequest, { coordinator }: DtmParts): Promise<Requested | null> {
  try {
    return await coordinator.request(gid, request);
  } catch (error) {
    if (isAmendsError(error, 'not_found')) return null;
    throw error;
  }
}

async function waitFor(
  view: TransactionView,
  wanted: 'succeed' | 'failed',
  { coordinator }: DtmParts,
  { caller: signal }: DtmRequest,
): Promise<DtmResult> {
  const { transaction } = view;
  if (isFinished(transaction)) return resultOfWait(transaction, wanted);
  const rest = await coordinator.wait(transaction.gid, { waitMs: limits.waitMsMax, signal });
  return resultOfWait((rest ?? view).transaction, wanted);
}
