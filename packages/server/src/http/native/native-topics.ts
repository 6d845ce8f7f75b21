/** Topics in the native API. */

import type { TopicAct, Topics } from '@amends/coordinator';
import { AmendsError } from '@amends/core';
import { parseBy, readActor } from '@amends/wire';
import { parseNewSubscription, parseTopicName, subscriptionQuery, topicBody } from '@amends/wire/native';
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
      const verdict = await topics.deleteTopic(readTopic(request), readAct(request));
      return { status: 200, body: { deleted: verdict === 'done' } };
    },
    async putSubscription(request) {
      const subscription = parseNewSubscription(jsonBody(request));
      return { status: 200, body: topicBody(await topics.put(readTopic(request), subscription, readAct(request))) };
    },
    async deleteSubscription(request) {
      const topic = readTopic(request);
      const { url } = parseBy(subscriptionQuery, request.query, 'query.');
      await topics.unsubscribe(topic, url, readAct(request));
      const left = await topics.get(topic);
      if (left === null) throw new AmendsError('topic_not_found', `there is no topic ${JSON.stringify(topic)}`);
      return { status: 200, body: topicBody(left) };
    },
  };
}

function readTopic({ params }: FastifyRequest): string {
  return parseTopicName((params as { topic: string }).topic);
}

function readAct({ headers }: FastifyRequest): TopicAct {
  return { actor: readActor(headers['x-amends-actor']), reason: 'by the native API' };
}
