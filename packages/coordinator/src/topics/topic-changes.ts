/** What each change makes of a topic: pure. */
import { limits, type Subscription, type Topic, type TopicVerdict } from '@amends/core';

/** The subscribers after a change, null: the topic is deleted; or why nothing is changed. */
export type TopicChange =
  | { readonly verdict: 'done'; readonly subscribers: readonly Subscription[] | null }
  | { readonly verdict: Exclude<TopicVerdict, 'done'> };

/** Adds a subscriber that is not there. */
export function subscribe(topic: Topic | null, subscription: Subscription): TopicChange {
  return find(topic, subscription.url) === undefined ? add(topic, subscription) : { verdict: 'url_exists' };
}

/** Adds a subscriber, or gives it another remark. The same again changes nothing, not even the version. */
export function put(topic: Topic | null, subscription: Subscription): TopicChange {
  const known = find(topic, subscription.url);
  if (topic === null || known === undefined) return add(topic, subscription);
  if (known.remark === subscription.remark) return { verdict: 'url_exists' };
  return { verdict: 'done', subscribers: topic.subscribers.map((one) => (one === known ? subscription : one)) };
}

/** Takes a subscriber away. */
export function unsubscribe(topic: Topic | null, url: string): TopicChange {
  if (topic === null) return { verdict: 'no_topic' };
  if (topic.subscribers.length === 0) return { verdict: 'no_subscribers' };
  if (find(topic, url) === undefined) return { verdict: 'no_url' };
  return { verdict: 'done', subscribers: topic.subscribers.filter((one) => one.url !== url) };
}

function find(topic: Topic | null, url: string): Subscription | undefined {
  return topic?.subscribers.find((one) => one.url === url);
}

function add(topic: Topic | null, subscription: Subscription): TopicChange {
  const before = topic?.subscribers ?? [];
  if (before.length >= limits.subscribersMax) return { verdict: 'too_many' };
  return { verdict: 'done', subscribers: [...before, subscription] };
}
