/** The body that creates a saga, and what it means to core. */
import { limits, type PayloadTemplate, payloadTemplate, refuse, type SagaSpec, type SagaStep, stepNameForm } from '@amends/core';
import { z } from 'zod';
import { checkHeaders, urlComplaint } from '../../input/outbound.ts';
import { nameSchema } from '../registry.ts';
import { urlText } from '../text-fields.ts';
import {
  alarmField,
  callTimeoutField,
  commonOptions,
  gidField,
  headersField,
  nothingMore,
  payloadBytes,
  policyOf,
  retrySchema,
  runAheadField,
  span,
} from './policies.ts';

const stepSchema = nameSchema(
  'NewStep',
  z.strictObject({
    name: z
      .string()
      .max(limits.stepNameCharactersMax)
      .meta({ pattern: stepNameForm.source })
      .optional()
      .describe('Name by which payloads refer to its answer; unique within the saga'),
    keepAnswer: z
      .boolean()
      .default(false)
      .describe('Keep the answer of the action, at most 64 KiB of JSON, for payloads of later steps and of compensations'),
    action: urlText.describe('Absolute http or https address that does the step; empty: nothing to call'),
    compensate: urlText.default('').describe('Address that undoes it; empty: nothing to undo'),
    kind: z
      .enum(['compensatable', 'pivot', 'retriable'])
      .default('compensatable')
      .describe('Whether the step can be undone, is the point of no return, or comes after it'),
    payload: z
      .unknown()
      .optional()
      .describe(
        'Sent as the JSON body of each call, by POST; left out: the calls are GET without a body. Anywhere in it {"$from": "NAME", "path": "$.a[0]"} stands for that part of the answer which the step of that name kept',
      ),
    compensatePayload: z
      .unknown()
      .optional()
      .describe('Body of the compensation instead of `payload`; may refer to the answer of its own step too'),
    timeoutMs: callTimeoutField,
    retry: retrySchema.optional().describe('How the action is tried again while its outcome is unknown'),
    compensateRetry: retrySchema.optional().describe('How the compensation is tried again'),
    after: z
      .array(
        z
          .int()
          .min(0)
          .max(limits.branchesMax - 1),
      )
      .max(limits.branchesMax)
      .optional()
      .describe('Indexes, from 0, of the steps that must have succeeded before this one starts'),
  }),
);

/** The body. */
export const newSagaSchema = nameSchema(
  'NewSaga',
  z.strictObject({
    gid: gidField,
    mode: z.literal('saga'),
    steps: z.array(stepSchema).min(1).max(limits.branchesMax),
    concurrent: z
      .boolean()
      .default(false)
      .describe('true: steps without `after` start at once; false: each of them follows the step before it'),
    timeoutMs: span(1)
      .nullable()
      .default(null)
      .describe('Time after which an undecided transaction is rolled back, in milliseconds; null: never'),
    alarmAfterMs: alarmField,
    runAhead: runAheadField,
    headers: headersField,
  }),
);

/** A saga as a caller writes it. */
export type NewSaga = z.input<typeof newSagaSchema>;
export type NewStep = z.input<typeof stepSchema>;
type Step = z.output<typeof stepSchema>;

/**
 * The spec of a saga. The rules between fields are core's `checkSagaSpec`, which the coordinator applies.
 * @throws AmendsError `invalid_request` naming the field
 */
export function makeSagaSpec(request: z.output<typeof newSagaSchema>): SagaSpec {
  request.steps.forEach(checkStep);
  checkHeaders('headers', request.headers);
  const { steps, bodies } = stepsAndBodies(request.steps, request.concurrent);
  const templates = bodies.map(({ template }) => template);
  return {
    mode: 'saga',
    steps,
    payloads: bodies.map(({ bytes }) => bytes),
    ...(templates.every((template) => template === null) ? {} : { templates }),
    timeoutMs: request.timeoutMs,
    timeoutReason: request.timeoutMs === null ? '' : `not decided within ${request.timeoutMs} ms`,
    ...commonOptions(request),
    presentation: nothingMore,
  };
}

function checkStep(step: Step, index: number): void {
  for (const name of ['action', 'compensate'] as const) {
    const complaint = urlComplaint(step[name]);
    if (complaint !== null) refuse(`steps[${index}].${name}`, complaint);
  }
  if (step.compensatePayload !== undefined && step.compensate === '')
    refuse(`steps[${index}].compensatePayload`, 'is for a step that has no compensate');
}

/** A body of calls: bytes, or a template in their place. */
interface Body {
  readonly bytes: Uint8Array;
  readonly template: PayloadTemplate | null;
}

/** Bodies of compensations that have their own come after those of all steps. */
function stepsAndBodies(steps: readonly Step[], concurrent: boolean): { steps: readonly SagaStep[]; bodies: readonly Body[] } {
  const bodies = steps.map((step, index) => makeBody(step, index, 'payload'));
  const made = steps.map((step, index) => {
    if (step.compensatePayload === undefined) return sagaStep(step, index, concurrent);
    bodies.push(makeBody(step, index, 'compensatePayload'));
    return { ...sagaStep(step, index, concurrent), compensatePayload: bodies.length - 1 };
  });
  return { steps: made, bodies };
}

const noBytes = payloadBytes(undefined);

function makeBody(step: Step, index: number, name: 'payload' | 'compensatePayload'): Body {
  const payload = step[name];
  if (payload === undefined) return { bytes: noBytes, template: null };
  const text = JSON.stringify(payload);
  // Few payloads refer to answers: the rest is not looked through.
  if (!text.includes('"$from"')) return { bytes: Buffer.from(text), template: null };
  const template = payloadTemplate(payload, (complaint) => refuse(`steps[${index}].${name}`, complaint));
  return { bytes: template === null ? Buffer.from(text) : noBytes, template };
}

function sagaStep(step: Step, index: number, concurrent: boolean): SagaStep {
  return {
    kind: step.kind,
    ...(step.name === undefined ? {} : { name: step.name }),
    ...(step.keepAnswer ? { keepAnswer: true } : {}),
    action: step.action,
    compensate: step.compensate,
    timeoutMs: step.timeoutMs,
    actionRetry: policyOf(step.retry),
    compensateRetry: policyOf(step.compensateRetry),
    after: step.after ?? (concurrent || index === 0 ? [] : [index - 1]),
  };
}
