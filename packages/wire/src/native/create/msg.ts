/** The body that creates a two-phase message, and what it means to core. */
import { type BranchId, limits, type MsgSpec, refuse } from '@amends/core';
import { z } from 'zod';
import { listDeliveries, type SubscribersOf, topicScheme } from '../../faces/msg-deliveries.ts';
import { checkHeaders, checkUrl, urlComplaint } from '../../input/outbound.ts';
import { nameSchema } from '../registry.ts';
import { parseMoment } from '../requests.ts';
import { deliveryText, momentText, urlText } from '../text-fields.ts';
import {
  alarmField,
  callTimeoutField,
  commonOptions,
  gidField,
  headersField,
  payloadBytes,
  policyToTheEnd,
  retrySchema,
  runAheadField,
  span,
} from './policies.ts';

const deliverySchema = nameSchema(
  'NewDelivery',
  z.strictObject({
    action: deliveryText.describe('Absolute http or https address to deliver to, or `topic://NAME`: to each of its subscribers'),
    payload: z.unknown().optional().describe('Sent as JSON body, by POST; left out: the call is a GET without a body'),
  }),
);

/** The body. */
export const newMessageSchema = nameSchema(
  'NewMessage',
  z.strictObject({
    gid: gidField,
    mode: z.literal('msg'),
    prepare: z
      .boolean()
      .default(false)
      .describe('true: nothing is delivered before it is submitted, or `queryUrl` says that the local transaction was committed'),
    steps: z.array(deliverySchema).min(1).max(limits.branchesMax),
    concurrent: z.boolean().default(false).describe('true: all are delivered at once; false: one after the other'),
    queryUrl: urlText
      .default('')
      .describe('Address that knows whether the local transaction was committed: 2xx yes, 409 no, 425 not yet'),
    askAfterMs: span(1).default(30_000).describe('Time after which a message that is still prepared is asked about'),
    delayMs: span(0).default(0).describe('Time after its creation before which nothing is delivered'),
    notBefore: momentText
      .nullable()
      .default(null)
      .describe('Moment before which nothing is delivered; ISO 8601 with seconds and a time zone'),
    callTimeoutMs: callTimeoutField,
    retry: retrySchema.optional().describe('How a delivery is tried again'),
    alarmAfterMs: alarmField,
    runAhead: runAheadField,
    headers: headersField,
  }),
);

/** A message as a caller writes it. */
export type NewMessage = z.input<typeof newMessageSchema>;
export type NewDelivery = z.input<typeof deliverySchema>;

/** A checked message. */
export type MessageRequest = z.output<typeof newMessageSchema>;

/** Topics that the steps name. */
export function topicsOfMessage({ steps }: MessageRequest): readonly string[] {
  const topics = steps.flatMap(({ action }) => (action.startsWith(topicScheme) ? [action.slice(topicScheme.length)] : []));
  return [...new Set(topics)];
}

/**
 * The spec of a message.
 * @param requested digest of the request, by which it is known again although subscribers have changed
 * @throws AmendsError `invalid_request` naming the field; `topic_not_found`
 */
export function makeMsgSpec(request: MessageRequest, subscribersOf: SubscribersOf, requested: string): MsgSpec {
  checkMessage(request);
  const deliveries = request.steps.flatMap(({ action }, step) => listDeliveries(action, step, subscribersOf));
  if (deliveries.length > limits.branchesMax)
    refuse('steps', `lead to ${deliveries.length} subscribers, at most ${limits.branchesMax} are allowed`);
  const payloads = request.steps.map(({ payload }) => payloadBytes(payload));
  return {
    mode: 'msg',
    steps: deliveries.map(({ branchId, action }): { branchId: BranchId; action: string } => ({ branchId, action })),
    payloads: deliveries.map(({ step }) => payloads[step]!),
    query: request.queryUrl,
    askAfterMs: request.askAfterMs,
    delayMs: request.delayMs,
    notBefore: request.notBefore === null ? null : parseMoment(request.notBefore),
    concurrent: request.concurrent,
    callTimeoutMs: request.callTimeoutMs,
    retry: policyToTheEnd(request.retry),
    ...commonOptions(request),
    // A subscriber may be a gRPC method; those with an http address are called by HTTP all the same.
    ...(deliveries.every(({ action }) => action === '' || httpScheme.test(action)) ? {} : { protocol: 'grpc' }),
    presentation: { requested },
  };
}

const httpScheme = /^https?:\/\//i;

function checkMessage({ prepare, queryUrl, steps, headers }: MessageRequest): void {
  if (prepare && queryUrl === '')
    refuse('queryUrl', 'is missing; a message that is prepared needs an address that knows whether it shall be delivered');
  checkUrl('queryUrl', queryUrl);
  checkHeaders('headers', headers);
  steps.forEach(({ action }, index) => {
    const complaint = action.startsWith(topicScheme) ? null : urlComplaint(action);
    if (complaint !== null) refuse(`steps[${index}].action`, complaint);
  });
}
