/** Changes of topics by DTM's API. */
import type { TopicAct } from '@amends/coordinator';
import { type DtmRefusal, type DtmResult, type DtmSubscription, resultOfTopicChange } from '@amends/wire/dtm';
import type { DtmParts } from './operation.ts';

/** A change of who subscribes. */
interface SubscriptionAct {
  /** What is named, or what DTM says where something is missing. */
  readonly asked: DtmSubscription | DtmRefusal;
  readonly actor: string;
}

/** Adds a subscriber. */
export async function subscribe({ asked, actor }: SubscriptionAct, { topics }: DtmParts): Promise<DtmResult> {
  if ('kind' in asked) return asked;
  return resultOfTopicChange(await topics.subscribe(asked.topic, asked.subscription, by(actor)));
}

/** Takes a subscriber away. */
export async function unsubscribe({ asked, actor }: SubscriptionAct, { topics }: DtmParts): Promise<DtmResult> {
  if ('kind' in asked) return asked;
  return resultOfTopicChange(await topics.unsubscribe(asked.topic, asked.subscription.url, by(actor)));
}

/** Takes a topic away. */
export async function deleteTopic(
  { topic, actor }: { readonly topic: string; readonly actor: string },
  { topics }: DtmParts,
): Promise<DtmResult> {
  return resultOfTopicChange(await topics.deleteTopic(topic, by(actor)));
}

function by(actor: string): TopicAct {
  return { actor, reason: 'by the DTM API' };
}
