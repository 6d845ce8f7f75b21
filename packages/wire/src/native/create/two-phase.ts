/** The bodies that create tcc and xa transactions, and what they mean to core. */
import type { TccSpec, XaSpec } from '@amends/core';
import { z } from 'zod';
import { checkHeaders } from '../../input/outbound.ts';
import { nameSchema } from '../registry.ts';
import {
  alarmField,
  callTimeoutField,
  commonOptions,
  gidField,
  headersField,
  nothingMore,
  policyToTheEnd,
  retrySchema,
  runAheadField,
  span,
} from './policies.ts';

const fields = {
  gid: gidField,
  prepare: z.literal(true).default(true).describe('Always: its branches are registered before it is submitted'),
  timeoutMs: span(1)
    .default(60_000)
    .describe('Time after which it is rolled back when it has been neither submitted nor aborted, in milliseconds'),
  callTimeoutMs: callTimeoutField,
  retry: retrySchema.optional().describe('How the calls of the second phase are tried again'),
  alarmAfterMs: alarmField,
  runAhead: runAheadField,
  headers: headersField,
};

/** The body of a tcc. */
export const newTccSchema = nameSchema('NewTcc', z.strictObject({ ...fields, mode: z.literal('tcc') }));
/** The body of an xa. */
export const newXaSchema = nameSchema('NewXa', z.strictObject({ ...fields, mode: z.literal('xa') }));

/** A tcc as a caller writes it. */
export type NewTcc = z.input<typeof newTccSchema>;
/** An xa as a caller writes it. */
export type NewXa = z.input<typeof newXaSchema>;

/**
 * The spec.
 * @throws AmendsError `invalid_request` naming the field
 */
export function makeTwoPhaseSpec(request: z.output<typeof newTccSchema> | z.output<typeof newXaSchema>): TccSpec | XaSpec {
  checkHeaders('headers', request.headers);
  return {
    mode: request.mode,
    payloads: [],
    timeoutMs: request.timeoutMs,
    timeoutReason: `neither submitted nor aborted within ${request.timeoutMs} ms`,
    callTimeoutMs: request.callTimeoutMs,
    retry: policyToTheEnd(request.retry),
    ...commonOptions(request),
    presentation: nothingMore,
  };
}
