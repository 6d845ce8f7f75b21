/** From DTM's saga to ours: its options become policies of each branch. */
import { checkOrder, type RetryPolicy, refuse, type SagaSpec, type SagaStep } from '@amends/core';
import { parseJsonText } from '../../input/json-text.ts';
import { readObject, readTruth } from '../../input/json-values.ts';
import { shown } from '../../input/shown.ts';
import { checkParams, targetComplaint } from '../../input/target.ts';
import type { DtmTransaction } from '../transaction.ts';
import { callTimeoutMs, type DtmDefaults, makeAnySpec, retryOf } from './options.ts';

/**
 * The spec of a saga. The rules between fields are core's `checkSagaSpec`, which the coordinator applies.
 * @throws AmendsError `invalid_request` naming the field
 */
export function makeSagaSpec(dtm: DtmTransaction, defaults: DtmDefaults): SagaSpec {
  const timeoutS = dtm.timeout_to_fail;
  return {
    ...makeAnySpec(dtm, defaults),
    mode: 'saga',
    steps: makeSteps(dtm, defaults),
    payloads: dtm.payloads.slice(0, dtm.steps.length),
    timeoutMs: timeoutS === 0 ? null : timeoutS * 1000,
    timeoutReason: timeoutS === 0 ? '' : `Timeout after ${timeoutS} seconds`,
  };
}

function makeSteps(dtm: DtmTransaction, defaults: DtmDefaults): readonly SagaStep[] {
  const timeoutMs = callTimeoutMs(dtm, defaults);
  const compensateRetry = limit(retryOf(dtm, defaults), dtm.retry_limit);
  const actionRetry: RetryPolicy = { ...compensateRetry, atEnd: dtm.retry_limit === 0 ? 'hold' : 'roll-back' };
  const orders = readOrders(dtm);
  return dtm.steps.map((step, index) => {
    const { action = '', compensate = '' } = step;
    checkStep(dtm, index, { action, compensate });
    return { kind: 'compensatable', action, compensate, timeoutMs, actionRetry, compensateRetry, after: orders(index) };
  });
}

type Targets = Readonly<Record<'action' | 'compensate', string>>;

function checkStep({ protocol, payloads }: DtmTransaction, index: number, targets: Targets): void {
  for (const name of ['action', 'compensate'] as const) {
    const complaint = targetComplaint(targets[name], protocol);
    if (complaint !== null) refuse(`steps[${index}].${name}`, complaint);
    if (protocol === 'json-rpc') checkParams(`payloads[${index}]`, { target: targets[name], protocol, payload: payloads[index] });
  }
}

/**
 * `retry_limit` counts the attempts after the first one. Spent on an action it undoes the saga; on a compensation a human must
 * look.
 */
function limit(policy: RetryPolicy, retryLimit: number): RetryPolicy {
  return retryLimit === 0 ? policy : { ...policy, attemptsMax: retryLimit + 1 };
}

type Orders = (index: number) => readonly number[];

const serial: Orders = (index) => (index === 0 ? [] : [index - 1]);

/** Which steps come before each: the one before it, or in a concurrent saga those that `custom_data.orders` names. */
function readOrders(dtm: DtmTransaction): Orders {
  if (dtm.custom_data === '') return serial;
  const { concurrent, orders } = customData(dtm.custom_data);
  if (!concurrent) return serial;
  const before = new Map<number, readonly number[]>();
  for (const key in orders) before.set(stepIndex(key, dtm.steps.length), indexes(key, orders[key]));
  const steps = dtm.steps.map((_, index) => ({ after: before.get(index) ?? [] }));
  checkOrder(steps, (index) => `custom_data.orders.${index}`);
  return (index) => steps[index]!.after;
}

interface CustomData {
  readonly concurrent: boolean;
  readonly orders: Readonly<Record<string, unknown>>;
}

function customData(text: string): CustomData {
  const source = readObject('custom_data', parseJsonText('custom_data', text));
  let concurrent = false;
  let orders: CustomData['orders'] = {};
  for (const key in source) {
    const value = source[key];
    if (value === null) continue;
    if (key.toLowerCase() === 'concurrent') concurrent = readTruth('custom_data.concurrent', value);
    else if (key.toLowerCase() === 'orders') orders = readObject('custom_data.orders', value);
  }
  return { concurrent, orders };
}

function stepIndex(key: string, stepCount: number): number {
  const index = /^\d{1,9}$/.test(key) ? Number(key) : -1;
  if (index < 0 || index >= stepCount)
    refuse('custom_data.orders', `names step ${shown(key)}; steps are numbered from 0 to ${stepCount - 1}`);
  return index;
}

function indexes(key: string, value: unknown): readonly number[] {
  if (value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => Number.isSafeInteger(item)))
    refuse(`custom_data.orders.${key}`, `is ${shown(value)}, must be an array of step numbers`);
  return value as number[];
}
