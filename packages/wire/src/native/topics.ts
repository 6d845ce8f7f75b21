/** Topics in the native API. */
import { limits, type Subscription, type Topic } from '@amends/core';
import { z } from 'zod';
import { checkSubscription, checkTopicName } from '../input/topic-check.ts';
import { parseBy } from '../input/zod-issues.ts';
import { nameSchema } from './registry.ts';
import { storableText, subscriberText } from './text-fields.ts';

/** The body of `PUT /topics/{topic}/subscriptions`. */
export const newSubscriptionSchema = nameSchema(
  'NewSubscription',
  z.strictObject({
    url: subscriberText.describe('Where messages are delivered'),
    remark: storableText(limits.reasonCharactersMax).default('').describe('For people'),
  }),
);

/** That body as a caller writes it. */
export type NewSubscription = z.input<typeof newSubscriptionSchema>;

/** Which subscription to take away. */
export const subscriptionQuery = z.strictObject({
  url: z.string().max(limits.urlCharactersMax).describe('Address of the subscriber'),
});

export const topicSchema = nameSchema(
  'Topic',
  z.object({
    topic: z.string(),
    version: z.int().describe('Grows with every change, also over a deletion'),
    subscribers: z.array(z.object({ url: z.string(), remark: z.string() })),
    createdAt: z.iso.datetime({ precision: 3 }).describe('ISO 8601, UTC, with milliseconds'),
    updatedAt: z.iso.datetime({ precision: 3 }).describe('ISO 8601, UTC, with milliseconds'),
  }),
);

/** All topics, by name. */
export const topicListSchema = nameSchema('TopicList', z.object({ topics: z.array(topicSchema) }));

/** What is left of a deleted topic. */
export const deletedSchema = nameSchema('Deleted', z.object({ deleted: z.boolean().describe('false: it was not there') }));

/** A topic, as the API shows it. */
export type TopicBody = z.infer<typeof topicSchema>;
/** All topics, as the API shows them. */
export type TopicListBody = z.infer<typeof topicListSchema>;

/** The name of a topic in a path. @throws AmendsError `invalid_request` naming `topic` */
export function parseTopicName(text: string): string {
  checkTopicName(text);
  return text;
}

/** Reads a subscription. @throws AmendsError `invalid_request` naming the field */
export function parseNewSubscription(body: unknown): Subscription {
  const subscription = parseBy(newSubscriptionSchema, body);
  checkSubscription(subscription);
  return subscription;
}

/** A topic for the API. */
export function topicBody({ name, version, subscribers, createdAt, updatedAt }: Topic): TopicBody {
  return {
    topic: name,
    version,
    subscribers: subscribers.map(({ url, remark }) => ({ url, remark })),
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}
