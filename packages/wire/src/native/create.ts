/** The request that creates a transaction: its schema and what it means to core. */
import {
  defaultAlarmAfterMs,
  defaultRetry,
  type Gid,
  isLongNumber,
  limits,
  parseGid,
  type RetryPolicy,
  type SagaSpec,
  type SagaStep,
  type Trace,
} from '@amends/core';
import { z } from 'zod';
import { refuse, shown } from '../field-error.ts';
import { checkHeaders, checkUrl } from '../outbound.ts';
import { parseBy } from '../zod-issues.ts';
import { named } from './registry.ts';

/** Time for one call of a native transaction that names none. Milliseconds. */
const defaultCallTimeoutMs = 10_000;

const delayMs = z.int().min(1).max(limits.retryDelayMsMax);

/** How attempts follow each other; every field has its default. */
const retrySchema = named(
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

const url = z.string().max(limits.urlCharactersMax);

/** One step of a saga. */
const stepSchema = named(
  'NewStep',
  z.strictObject({
    action: url.describe('Absolute http or https address that does the step; empty: nothing to call'),
    compensate: url.default('').describe('Address that undoes it; empty: nothing to undo'),
    kind: z
      .enum(['compensatable', 'pivot', 'retriable'])
      .default('compensatable')
      .describe('Whether the step can be undone, is the point of no return, or comes after it'),
    payload: z
      .unknown()
      .optional()
      .describe('Sent as the JSON body of each call, by POST; left out: the calls are GET without a body'),
    timeoutMs: z
      .int()
      .min(1)
      .max(limits.callTimeoutMsMax)
      .default(defaultCallTimeoutMs)
      .describe('Time for one call, answer included, in milliseconds'),
    retry: retrySchema.optional().describe('How the action is tried again while its outcome is unknown'),
    compensateRetry: retrySchema.optional().describe('How the compensation is tried again'),
    after: z
      .array(z.int().min(0))
      .max(limits.branchesMax)
      .optional()
      .describe('Indexes, from 0, of the steps that must have succeeded before this one starts'),
  }),
);

/** The body of `POST /transactions`. */
export const createSchema = named(
  'NewTransaction',
  z.strictObject({
    gid: z
      .string()
      .min(1)
      .max(limits.gidCharactersMax)
      .optional()
      .describe('Identity chosen by the caller, so that repeating the request begins nothing new; left out: one is made'),
    mode: z.literal('saga').describe('What kind of global transaction; this version knows sagas'),
    steps: z.array(stepSchema).min(1).max(limits.branchesMax),
    concurrent: z
      .boolean()
      .default(false)
      .describe('true: steps without `after` start at once; false: each of them follows the step before it'),
    timeoutMs: z
      .int()
      .min(1)
      .max(limits.transactionTimeoutMsMax)
      .nullable()
      .default(null)
      .describe('Time after which an undecided transaction is rolled back, in milliseconds; null: never'),
    alarmAfterMs: z
      .int()
      .min(1)
      .max(limits.transactionTimeoutMsMax)
      .nullable()
      .default(defaultAlarmAfterMs.native)
      .describe('Time after which an alarm is raised if it is not finished, in milliseconds; nothing else follows; null: never'),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .describe('Added to every call; a `traceparent` among them is sent instead of one of the trace of this request'),
  }),
);

/** The body of `POST /transactions` as a caller writes it. */
export type NewTransaction = z.input<typeof createSchema>;
/** One step of it. */
export type NewStep = z.input<typeof stepSchema>;
type Step = z.output<typeof stepSchema>;

/** A checked request: the caller's gid, or null to have one made, and what to do. */
export interface CreateRequest {
  readonly gid: Gid | null;
  readonly spec: SagaSpec;
}

/**
 * Reads the body of `POST /transactions`. The rules between fields are core's `checkSagaSpec`, which the coordinator applies.
 * @param trace the trace that the request belongs to, by its header `traceparent`
 * @throws AmendsError `invalid_request` naming each field that is wrong
 */
export function parseCreate(body: unknown, trace: Trace | null = null): CreateRequest {
  checkBeforehand(body);
  const request = parseBy(createSchema, body);
  const gid = request.gid === undefined ? null : parseGid(request.gid);
  if (gid?.trim() === '') refuse('gid', 'is only white space; nobody could tell it from another');
  request.steps.forEach((step, index) => {
    checkUrl(`steps[${index}].action`, step.action);
    checkUrl(`steps[${index}].compensate`, step.compensate);
  });
  checkHeaders('headers', request.headers);
  const spec: SagaSpec = {
    mode: 'saga',
    steps: request.steps.map((step, index) => sagaStep(step, index, request.concurrent)),
    payloads: request.steps.map(payloadBytes),
    timeoutMs: request.timeoutMs,
    timeoutReason: request.timeoutMs === null ? '' : `not decided within ${request.timeoutMs} ms`,
    alarmAfterMs: request.alarmAfterMs,
    headers: request.headers,
    face: 'native',
    trace,
    presentation: nothingMore,
  };
  return { gid, spec };
}

const nothingMore = Object.freeze({});

/** What the schema would see late or not at all: far too many steps, and a long number in place of the headers. */
function checkBeforehand(body: unknown): void {
  const { steps, headers } = (body ?? {}) as { steps?: unknown; headers?: unknown };
  if (Array.isArray(steps) && steps.length > limits.branchesMax) parseBy(stepCount, body);
  if (isLongNumber(headers)) refuse('headers', `must be an object, is ${shown(headers)}`);
}

const stepCount = z.object({ steps: z.array(z.unknown()).max(limits.branchesMax) });

function sagaStep(step: Step, index: number, concurrent: boolean): SagaStep {
  return {
    kind: step.kind,
    action: step.action,
    compensate: step.compensate,
    timeoutMs: step.timeoutMs,
    actionRetry: policyOf(step.retry),
    compensateRetry: policyOf(step.compensateRetry),
    after: step.after ?? (concurrent || index === 0 ? [] : [index - 1]),
  };
}

/** An initial pause longer than the longest one, where that was left out, raises it. */
function policyOf(policy: RetryPolicy | undefined): RetryPolicy {
  if (policy === undefined) return defaultRetry;
  return policy.delayMs <= policy.delayMsMax ? policy : { ...policy, delayMsMax: policy.delayMs };
}

const noBytes = new Uint8Array(0);

function payloadBytes(step: Step): Uint8Array {
  return step.payload === undefined ? noBytes : Buffer.from(JSON.stringify(step.payload));
}
