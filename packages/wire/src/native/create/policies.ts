/** What the bodies of all modes share: addresses, times, retry policies, payloads. */
import { defaultAlarmAfterMs, defaultRetry, limits, type RetryPolicy, refuse } from '@amends/core';
import { z } from 'zod';
import { nameSchema } from '../registry.ts';
import { gidText, headersText } from '../text-fields.ts';

/** Time for one call of a native transaction that names none. Milliseconds. */
const defaultCallTimeoutMs = 10_000;

const delayMs = z.int().min(1).max(limits.retryDelayMsMax);

/** How attempts follow each other; every field has its default. */
export const retrySchema = nameSchema(
  'RetryPolicy',
  z.strictObject({
    kind: z.enum(['fixed', 'exponential']).default(defaultRetry.kind).describe('The same pause each time, or doubling pauses'),
    delayMs: delayMs.default(defaultRetry.delayMs).describe('Pause before the second attempt, in milliseconds'),
    delayMsMax: delayMs.default(defaultRetry.delayMsMax).describe('Longest pause, in milliseconds'),
    attemptsMax: z
      .int()
      .min(1)
      .nullable()
      .default(defaultRetry.attemptsMax)
      .describe('Attempts without a verdict after which the policy ends; null: it never does'),
    atEnd: z
      .enum(['roll-back', 'hold'])
      .default(defaultRetry.atEnd)
      .describe('At the end undo the transaction where that is allowed, or hold it until a human acts'),
  }),
);

/** Identity of a transaction in a body. */
export const gidField = gidText
  .optional()
  .describe('Identity chosen by the caller, so that repeating the request begins nothing new; left out: one is made');

/** Headers in a body. */
export const headersField = headersText
  .default({})
  .describe('Added to every call; a `traceparent` among them is sent instead of one of the trace of this request');

/** Time after which somebody is told. */
export const alarmField = z
  .int()
  .min(1)
  .max(limits.transactionTimeoutMsMax)
  .nullable()
  .default(defaultAlarmAfterMs.native)
  .describe('Time after which an alarm is raised if it is not finished, in milliseconds; nothing else follows; null: never');

/** Time for a call in a body. */
export const callTimeoutField = z
  .int()
  .min(1)
  .max(limits.callTimeoutMsMax)
  .default(defaultCallTimeoutMs)
  .describe('Time for one call, answer included, in milliseconds');

/** Whether calls may be made before what led to them is committed. */
export const runAheadField = z
  .boolean()
  .default(true)
  .describe(
    'true: a step that successes alone lead to may be called before the success of the step before it is stored, so that a quick transaction is stored twice and not once for each step; after a crash a participant may be told to undo what it never heard of. false: each step is stored before the next one is called, for participants that cannot take that',
  );

/** What the bodies of all modes ask for beside their work; workflows have no `runAhead`. */
interface CommonOptions {
  readonly alarmAfterMs: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly runAhead?: boolean;
}

/** The same as core has it: of running ahead only that it may not is said. The trace comes with the request. */
export function commonOptions({ alarmAfterMs, headers, runAhead = true }: CommonOptions) {
  return { alarmAfterMs, trace: null, ...(runAhead ? {} : { runAhead: false as const }), headers, face: 'native' } as const;
}

/** A span of time in a body, as long as a transaction may live. */
export const span = (min: number) => z.int().min(min).max(limits.transactionTimeoutMsMax);

/** An initial pause longer than the longest one, where that was left out, raises it. */
export function policyOf(policy: RetryPolicy | undefined): RetryPolicy {
  if (policy === undefined) return defaultRetry;
  return policy.delayMs <= policy.delayMsMax ? policy : { ...policy, delayMsMax: policy.delayMs };
}

/**
 * The policy of calls that must succeed in the end: nothing can be rolled back for them.
 * @throws AmendsError `invalid_request` naming `retry.atEnd`
 */
export function policyToTheEnd(policy: RetryPolicy | undefined): RetryPolicy {
  const made = policyOf(policy);
  if (made.atEnd === 'roll-back' && made.attemptsMax !== null)
    refuse('retry.atEnd', 'what has been decided cannot be rolled back for want of a verdict; use hold');
  return { ...made, atEnd: 'hold' };
}

const noBytes = new Uint8Array(0);

/** A JSON value as it is sent; what is left out is no body at all. */
export function payloadBytes(payload: unknown): Uint8Array {
  return payload === undefined ? noBytes : Buffer.from(JSON.stringify(payload));
}

/** What native specs need to be shown again: nothing. */
export const nothingMore = Object.freeze({});
