/** From DTM's saga to ours: its options become policies of each branch. */
import {
  AmendsError,
  defaultAlarmAfterMs,
  limits,
  type RetryPolicy,
  type SagaSpec,
  type SagaStep,
  type Trace,
} from '@amends/core';
import { refuse, shown } from '../field-error.ts';
import { parseJsonText } from '../json-text.ts';
import { checkHeaders, checkUrl } from '../outbound.ts';
import { presentationOf } from './presentation.ts';
import { type DtmTransaction, objectOf, truthOf } from './transaction.ts';

/** What holds on the DTM face when a transaction says 0 or nothing. */
export interface DtmDefaults {
  /** Time for one branch call. Milliseconds; DTM: 3 s. */
  readonly requestTimeoutMs: number;
  /** Pause before the second attempt. Milliseconds; DTM: 10 s. */
  readonly retryIntervalMs: number;
}

/** Longest pause between attempts, unless the interval itself is longer. Milliseconds. */
const retryDelayMsMax = 300_000;

/**
 * The spec of a saga. The rules between fields are core's `checkSagaSpec`, which the coordinator applies.
 * @throws AmendsError `invalid_request` naming the field; `not_implemented` for protocols other than HTTP
 */
export function sagaSpecOf(dtm: DtmTransaction, defaults: DtmDefaults, trace: Trace | null): SagaSpec {
  checkProtocol(dtm.protocol);
  checkTimes(dtm);
  checkHeaders('branch_headers', dtm.branch_headers);
  const timeoutS = dtm.timeout_to_fail;
  return {
    mode: 'saga',
    steps: stepsOf(dtm, defaults),
    payloads: dtm.payloads.slice(0, dtm.steps.length).map(bytesOf),
    timeoutMs: timeoutS === 0 ? null : timeoutS * 1000,
    timeoutReason: timeoutS === 0 ? '' : `Timeout after ${timeoutS} seconds`,
    alarmAfterMs: defaultAlarmAfterMs.dtm,
    headers: dtm.branch_headers,
    face: 'dtm',
    trace,
    presentation: presentationOf(dtm),
  };
}

function checkProtocol(protocol: string): void {
  if (protocol === '' || protocol === 'http') return;
  if (protocol === 'grpc' || protocol === 'json-rpc')
    throw new AmendsError(
      'not_implemented',
      `protocol ${protocol} is not supported by this version; it calls participants by http`,
    );
  refuse('protocol', `is ${shown(protocol)}, must be "http" or left out`);
}

function checkTimes(dtm: DtmTransaction): void {
  checkSeconds('request_timeout', dtm.request_timeout, limits.callTimeoutMsMax);
  checkSeconds('retry_interval', dtm.retry_interval, limits.retryDelayMsMax);
  checkSeconds('timeout_to_fail', dtm.timeout_to_fail, limits.transactionTimeoutMsMax);
}

function checkSeconds(field: string, seconds: number, msMax: number): void {
  if (seconds * 1000 > msMax) refuse(field, `is ${seconds}, must be a whole number of seconds from 0 to ${msMax / 1000}`);
}

function stepsOf(dtm: DtmTransaction, defaults: DtmDefaults): readonly SagaStep[] {
  const timeoutMs = dtm.request_timeout * 1000 || defaults.requestTimeoutMs;
  const compensateRetry = limited(retryForEver(dtm.retry_interval * 1000 || defaults.retryIntervalMs), dtm.retry_limit);
  const actionRetry: RetryPolicy = { ...compensateRetry, atEnd: dtm.retry_limit === 0 ? 'hold' : 'roll-back' };
  const orders = ordersOf(dtm);
  return dtm.steps.map((step, index) => {
    const { action = '', compensate = '' } = step;
    checkUrl(`steps[${index}].action`, action);
    checkUrl(`steps[${index}].compensate`, compensate);
    return { kind: 'compensatable', action, compensate, timeoutMs, actionRetry, compensateRetry, after: orders(index) };
  });
}

function retryForEver(delayMs: number): RetryPolicy {
  return { kind: 'exponential', delayMs, delayMsMax: Math.max(retryDelayMsMax, delayMs), attemptsMax: null, atEnd: 'hold' };
}

/** `retry_limit` counts the attempts after the first one. Spent on an action it undoes the saga; on a compensation a human must look. */
function limited(policy: RetryPolicy, retryLimit: number): RetryPolicy {
  return retryLimit === 0 ? policy : { ...policy, attemptsMax: retryLimit + 1 };
}

type Orders = (index: number) => readonly number[];

const serial: Orders = (index) => (index === 0 ? [] : [index - 1]);

/** Which steps come before each: the one before it, or in a concurrent saga those that `custom_data.orders` names. */
function ordersOf(dtm: DtmTransaction): Orders {
  if (dtm.custom_data === '') return serial;
  const { concurrent, orders } = customData(dtm.custom_data);
  if (!concurrent) return serial;
  const before = new Map<number, readonly number[]>();
  for (const key in orders) before.set(stepIndex(key, dtm.steps.length), indexes(key, orders[key]));
  return (index) => before.get(index) ?? [];
}

interface CustomData {
  readonly concurrent: boolean;
  readonly orders: Readonly<Record<string, unknown>>;
}

function customData(text: string): CustomData {
  const source = objectOf('custom_data', parseJsonText('custom_data', text));
  let concurrent = false;
  let orders: CustomData['orders'] = {};
  for (const key in source) {
    const value = source[key];
    if (value === null) continue;
    if (key.toLowerCase() === 'concurrent') concurrent = truthOf('custom_data.concurrent', value);
    else if (key.toLowerCase() === 'orders') orders = objectOf('custom_data.orders', value);
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

const noBytes = new Uint8Array(0);

function bytesOf(payload: string): Uint8Array {
  return payload === '' ? noBytes : Buffer.from(payload, 'utf8');
}
