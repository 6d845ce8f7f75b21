/** From DTM's message to ours: topics become their subscribers, the delay comes from `custom_data`. */
import { type BranchId, branchIdOfStep, epochMs, limits, type MsgSpec, refuse, type Spec, stepOfDelivery } from '@amends/core';
import { listDeliveries, type SubscribersOf, topicScheme } from '../../faces/msg-deliveries.ts';
import { parseJsonText } from '../../input/json-text.ts';
import { readObject } from '../../input/json-values.ts';
import { shown } from '../../input/shown.ts';
import { checkParams, checkTarget, targetComplaint } from '../../input/target.ts';
import { keptOf } from '../presentation.ts';
import type { DtmTransaction } from '../transaction.ts';
import { callTimeoutMs, type DtmDefaults, makeAnySpec, preparedForMs, retryOf } from './options.ts';

/** Topics that the steps of a message name. */
export function topicsOf(dtm: DtmTransaction): readonly string[] {
  if (dtm.mode !== 'msg') return [];
  const topics = dtm.steps.flatMap(({ action = '' }) =>
    action.startsWith(topicScheme) ? [action.slice(topicScheme.length)] : [],
  );
  return [...new Set(topics)];
}

/** Kept with the message, because who subscribes to a topic is settled when a message begins: see `settledSubscribers`. */
function topicsByStep({ steps }: DtmTransaction): { readonly topics?: Readonly<Record<string, string>> } {
  const named = steps.flatMap(({ action = '' }, index) =>
    action.startsWith(topicScheme) ? [[branchIdOfStep(index), action.slice(topicScheme.length)] as const] : [],
  );
  return named.length === 0 ? {} : { topics: Object.fromEntries(named) };
}

/** Who receives a message that has begun, by topic: whoever asks for it again means these, although others subscribe by now. */
export function settledSubscribers(spec: Spec): ReadonlyMap<string, readonly string[]> {
  if (spec.mode !== 'msg') return new Map();
  return new Map(
    Object.entries(keptOf(spec).topics ?? {}).map(([step, topic]) => {
      const isOfStep = ({ branchId }: { readonly branchId: BranchId }) => stepOfDelivery(branchId) === step;
      return [topic, spec.steps.filter(isOfStep).map(({ action }) => action)];
    }),
  );
}

/**
 * The spec of a message.
 * @throws AmendsError `invalid_request` naming the field; `topic_not_found`
 */
export function makeMsgSpec(dtm: DtmTransaction, defaults: DtmDefaults, subscribersOf: SubscribersOf): MsgSpec {
  const deliveries = dtm.steps.flatMap((step, index) => listDeliveries(step.action ?? '', index, subscribersOf));
  checkCounts(dtm, deliveries.length);
  const { protocol } = dtm;
  checkTarget('query_prepared', dtm.query_prepared, protocol);
  deliveries.forEach(({ branchId, action, step }) => {
    // Subscribers were judged when they subscribed: none keeps a message from the others.
    if (stepOfDelivery(branchId) !== branchId) return;
    const complaint = targetComplaint(action, protocol);
    if (complaint !== null) refuse(`steps[${step}].action`, complaint);
    if (protocol === 'json-rpc') checkParams(`payloads[${step}]`, { target: action, protocol, payload: dtm.payloads[step] });
  });
  const any = makeAnySpec(dtm, defaults);
  return {
    ...any,
    presentation: { ...any.presentation, ...topicsByStep(dtm) },
    mode: 'msg',
    steps: deliveries.map(({ branchId, action }) => ({ branchId, action })),
    payloads: deliveries.map(({ step }) => dtm.payloads[step]!),
    query: dtm.query_prepared,
    askAfterMs: preparedForMs(dtm, defaults),
    ...readDelay(dtm),
    concurrent: dtm.concurrent,
    callTimeoutMs: callTimeoutMs(dtm, defaults),
    retry: retryOf(dtm, defaults),
  };
}

function checkCounts(dtm: DtmTransaction, deliveries: number): void {
  if (dtm.steps.length === 0) refuse('steps', 'must have at least one step');
  if (dtm.payloads.length < dtm.steps.length)
    refuse('payloads', `has ${dtm.payloads.length} entries for ${dtm.steps.length} steps; give one for each step`);
  if (deliveries > limits.branchesMax)
    refuse('steps', `lead to ${deliveries} subscribers, at most ${limits.branchesMax} are allowed`);
}

/** `delay` in seconds, fractions allowed; `not_before` as milliseconds since 1970, which DTM does not have. */
function readDelay({ custom_data: text }: DtmTransaction): Pick<MsgSpec, 'delayMs' | 'notBefore'> {
  if (text === '') return { delayMs: 0, notBefore: null };
  const { delay = 0, not_before: notBefore = null } = readObject('custom_data', parseJsonText('custom_data', text));
  return {
    delayMs: Math.round(readNumber('custom_data.delay', delay ?? 0, limits.transactionTimeoutMsMax / 1000) * 1000),
    notBefore: notBefore === null ? null : epochMs(readNumber('custom_data.not_before', notBefore, Number.MAX_SAFE_INTEGER)),
  };
}

function readNumber(field: string, value: unknown, max: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= max))
    refuse(field, `is ${shown(value)}, must be a number from 0 to ${max}`);
  return value;
}
