/** Topics in the native API. */

import type { TopicAct, Topics } from '@amends/coordinator';
import { AmendsError } from '@amends/core';
import { actorOf, parseBy, parseNewSubscription, parseTopicName, subscriptionQuery, topicBody } from '@amends/wire';
import type { FastifyRequest } from 'fastify';
import { jsonBody } from '../request-body.ts';
import type { NativeHandler } from './native-answer.ts';

/** The handlers, by operation. */
export function topicHandlers(
  topics: Topics,
): Record<'listTopics' | 'deleteTopic' | 'putSubscription' | 'deleteSubscription', NativeHandler> {
  return {
    listTopics: async () => ({ status: 200, body: { topics: (await topics.list()).map(topicBody) } }),
    async deleteTopic(request) {
      const verdict = await topics.deleteTopic(topicOf(request), actOf(request));
      return { status: 200, body: { deleted: verdict === 'done' } };
    },
    async putSubscription(request) {
      const subscription = parseNewSubscription(jsonBody(request));
      return { status: 200, body: topicBody(await topics.put(topicOf(request), subscription, actOf(request))) };
    },
    async deleteSubscription(request) {
      const topic = topicOf(request);
      const { url } = parseBy(subscriptionQuery, request.query, 'query.');
      await topics.unsubscribe(topic, url, actOf(request));
      const left = await topics.get(topic);
      if (left === null) throw new AmendsError('topic_not_found', `there is no topic ${JSON.stringify(topic)}`);
      return { status: 200, body: topicBody(left) };
    },
  };
}

function topicOf({ params }: FastifyRequest): string {
  return parseTopicName((params as { topic: string }).topic);
}

function actOf({ headers }: FastifyRequest): TopicAct {
  return { actor: actorOf(headers['x-amends-actor']), reason: 'by the native API' };
}
