/** The body that creates a workflow, and what it means to core. */
import { limits, type WorkflowSpec } from '@amends/core';
import { z } from 'zod';
import { checkHeaders, checkUrl } from '../../input/outbound.ts';
import { nameSchema } from '../registry.ts';
import { storableText, urlText } from '../text-fields.ts';
import { alarmField, callTimeoutField, commonOptions, gidField, headersField, nothingMore, payloadBytes } from './policies.ts';

/** The body. */
export const newWorkflowSchema = nameSchema(
  'NewWorkflow',
  z.strictObject({
    gid: gidField,
    mode: z.literal('workflow'),
    prepare: z.literal(true).default(true).describe('Always: it is over when its function concludes it'),
    name: storableText(limits.gidCharactersMax).min(1).describe('Name of the function'),
    input: z.unknown().optional().describe('Its input: any JSON'),
    resumeUrl: urlText.default('').describe('Address that has the function run again; empty: nobody does'),
    resumeAfterMs: z
      .int()
      .min(1)
      .max(limits.retryDelayMsMax)
      .default(10_000)
      .describe('How long nothing may be heard of it before it is run again, in milliseconds'),
    callTimeoutMs: callTimeoutField,
    alarmAfterMs: alarmField,
    headers: headersField,
  }),
);

/** A workflow as a caller writes it. */
export type NewWorkflow = z.input<typeof newWorkflowSchema>;

/**
 * The spec.
 * @throws AmendsError `invalid_request` naming the field
 */
export function makeWorkflowSpec(request: z.output<typeof newWorkflowSchema>): WorkflowSpec {
  checkUrl('resumeUrl', request.resumeUrl);
  checkHeaders('headers', request.headers);
  const pause = { delayMs: request.resumeAfterMs, delayMsMax: request.resumeAfterMs };
  return {
    mode: 'workflow',
    name: request.name,
    resume: request.resumeUrl,
    payloads: [payloadBytes(request.input)],
    callTimeoutMs: request.callTimeoutMs,
    retry: { kind: 'fixed', ...pause, attemptsMax: null, atEnd: 'hold' },
    ...commonOptions(request),
    presentation: nothingMore,
  };
}
