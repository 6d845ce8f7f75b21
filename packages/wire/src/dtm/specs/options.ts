/** DTM's options that all types of transactions share, as policies of ours. */
import { defaultAlarmAfterMs, limits, type Protocol, type RetryPolicy, refuse, type Spec } from '@amends/core';
import { checkHeaders, checkMetadata } from '../../input/outbound.ts';
import { shown } from '../../input/shown.ts';
import { presentationOf } from '../presentation.ts';
import type { DtmTransaction } from '../transaction.ts';

/** What holds on the DTM face when a transaction says 0 or nothing. */
export interface DtmDefaults {
  /** Time for one branch call. Milliseconds; DTM: 3 s. */
  readonly requestTimeoutMs: number;
  /** Pause before the second attempt. Milliseconds; DTM: 10 s. */
  readonly retryIntervalMs: number;
  /** Time after which what is only prepared is asked about or rolled back. Milliseconds; DTM: 35 s. */
  readonly timeoutToFailMs: number;
  /** Whether calls may be made before what led to them is committed. */
  readonly runAhead: boolean;
}

/** Longest pause between attempts, unless the interval itself is longer. Milliseconds. */
const retryDelayMsMax = 300_000;

type AnySpec = Pick<Spec, 'runAhead' | 'headers' | 'face' | 'presentation' | 'protocol' | 'alarmAfterMs' | 'trace'>;

const protocols: ReadonlySet<string> = new Set(['http', 'grpc', 'json-rpc']);

/**
 * What the specs of all modes have in common.
 * @throws AmendsError `invalid_request` naming the field
 */
export function makeAnySpec(dtm: DtmTransaction, { runAhead }: Pick<DtmDefaults, 'runAhead'>): AnySpec {
  const { protocol } = dtm;
  if (protocol !== '' && !protocols.has(protocol))
    refuse('protocol', `is ${shown(protocol)}, must be "http", "grpc", "json-rpc" or left out`);
  checkSeconds('request_timeout', dtm.request_timeout, limits.callTimeoutMsMax);
  checkSeconds('retry_interval', dtm.retry_interval, limits.retryDelayMsMax);
  checkSeconds('timeout_to_fail', dtm.timeout_to_fail, limits.transactionTimeoutMsMax);
  checkHeaders('branch_headers', dtm.branch_headers);
  if (dtm.protocol === 'grpc') checkMetadata('branch_headers', dtm.branch_headers);
  return {
    headers: dtm.branch_headers,
    ...(runAhead ? {} : { runAhead }),
    face: 'dtm',
    alarmAfterMs: defaultAlarmAfterMs.dtm,
    trace: dtm.trace,
    presentation: presentationOf(dtm),
    ...(protocol === 'grpc' || protocol === 'json-rpc' ? { protocol: protocol as Protocol } : {}),
  };
}

function checkSeconds(field: string, seconds: number, msMax: number): void {
  if (seconds * 1000 > msMax) refuse(field, `is ${seconds}, must be a whole number of seconds from 0 to ${msMax / 1000}`);
}

/** Time for one call. Milliseconds. */
export function callTimeoutMs(dtm: DtmTransaction, defaults: DtmDefaults): number {
  return dtm.request_timeout * 1000 || defaults.requestTimeoutMs;
}

/** Time that something may stay prepared. Milliseconds. */
export function preparedForMs(dtm: DtmTransaction, defaults: DtmDefaults): number {
  return dtm.timeout_to_fail * 1000 || defaults.timeoutToFailMs;
}

/** Attempts for ever, the pauses doubling from the interval. */
export function retryOf(dtm: DtmTransaction, defaults: DtmDefaults): RetryPolicy {
  const delayMs = dtm.retry_interval * 1000 || defaults.retryIntervalMs;
  return { kind: 'exponential', delayMs, delayMsMax: Math.max(retryDelayMsMax, delayMs), attemptsMax: null, atEnd: 'hold' };
}
