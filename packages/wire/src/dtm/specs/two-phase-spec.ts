/** From DTM's tcc and xa to ours. */
import type { TccSpec, XaSpec } from '@amends/core';
import type { DtmTransaction } from '../transaction.ts';
import { callTimeoutMs, type DtmDefaults, makeAnySpec, preparedForMs, retryOf } from './options.ts';

/**
 * The spec of a tcc or xa transaction.
 * @throws AmendsError `invalid_request` naming the field
 */
export function makeTwoPhaseSpec(dtm: DtmTransaction, mode: 'tcc' | 'xa', defaults: DtmDefaults): TccSpec | XaSpec {
  const timeoutMs = preparedForMs(dtm, defaults);
  return {
    ...makeAnySpec(dtm, defaults),
    mode,
    payloads: [],
    timeoutMs,
    timeoutReason: `Timeout after ${Math.ceil(timeoutMs / 1000)} seconds`,
    callTimeoutMs: callTimeoutMs(dtm, defaults),
    retry: retryOf(dtm, defaults),
  };
}
