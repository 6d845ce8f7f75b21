/** DTM's topics: `subscribe`, `unsubscribe`, `topic/:topicName`, and the key-value queries that show them. */
import { limits, refuse, type Subscription, type Topic, type TopicVerdict } from '@amends/core';
import { checkSubscription, checkTopicName } from '../input/topic-check.ts';
import { parameter, type Query, readDigits } from './parameters.ts';
import { type DtmRefusal, type DtmResult, done, trouble } from './result.ts';
import { idOf, rfc3339 } from './shown/query.ts';

/** What `subscribe` and `unsubscribe` name. */
export interface DtmSubscription {
  readonly topic: string;
  readonly subscription: Subscription;
}

/**
 * Reads a subscription; over gRPC the same three texts come in a message.
 * @returns a refusal where DTM has its own words for what is missing
 * @throws AmendsError `invalid_request` naming the field
 */
export function parseSubscription(query: Query): DtmSubscription | DtmRefusal {
  const named = parseUnsubscription(query);
  if (!('kind' in named)) checkSubscription(named.subscription);
  return named;
}

/**
 * Reads what is to be unsubscribed, as `parseSubscription` does: any address, because what is there may be one that is refused by
 * now.
 */
export function parseUnsubscription(query: Query): DtmSubscription | DtmRefusal {
  const topic = parameter(query, 'topic');
  const subscription = { url: parameter(query, 'url'), remark: parameter(query, 'remark') };
  if (topic === '') return trouble('empty topic');
  if (subscription.url === '') return trouble('empty url');
  checkTopicName(topic);
  return { topic, subscription };
}

/** What became of it, in DTM's words; the space at the end is its own. */
const results: Readonly<Record<Exclude<TopicVerdict, 'too_many'>, DtmResult>> = {
  done,
  url_exists: trouble('this url exists'),
  no_topic: trouble('no such a topic'),
  no_subscribers: trouble('this topic is empty'),
  no_url: trouble('no such an url '),
  not_found: trouble('storage: NotFound'),
};

/** What came of a change to a topic. @throws AmendsError `invalid_request` when it has as many subscribers as are allowed */
export function resultOfTopicChange(verdict: TopicVerdict): DtmResult {
  if (verdict === 'too_many')
    refuse('url', `the topic has ${limits.subscribersMax} subscribers, which is as many as are allowed`);
  return results[verdict];
}

/** The topic that `topic/:topic` names. @throws AmendsError `invalid_request` naming it */
export function parseTopic(query: Query): string {
  const topic = parameter(query, 'topic');
  checkTopicName(topic);
  return topic;
}

/** The one category that has entries here; DTM has no other either. */
const topicCategory = 'topics';

/** What `queryKV` asks for; null: a category without entries. Without a key: all of them. */
export function parseQueryKv(query: Query): { readonly key: string } | null {
  return parameter(query, 'cat') === topicCategory ? { key: parameter(query, 'key') } : null;
}

/** What `scanKV` asks for; null: a category without entries. */
export interface KvPage {
  /** Entries come after it; empty: from the first. */
  readonly after: string;
  readonly limit: number;
}

/** Reads the query of `scanKV`. @throws AmendsError `invalid_request` naming the parameter */
export function parseScanKv(query: Query): KvPage | null {
  const limit = Math.min(readDigits(query, 'limit') ?? 100, limits.pageRowsMax);
  if (limit < 1) refuse('limit', `is ${limit}, must be at least 1`);
  const after = Buffer.from(parameter(query, 'position'), 'base64url').toString();
  return parameter(query, 'cat') === topicCategory ? { after, limit } : null;
}

/** Answer of `queryKV`. */
export function kvBody(topics: readonly Topic[]): { readonly kv: readonly object[] } {
  return { kv: topics.map(makeKv) };
}

/** Answer of `scanKV`: one page of all topics, which come by name. */
export function kvPageBody(topics: readonly Topic[], { after, limit }: KvPage): object {
  const rest = topics.filter(({ name }) => after === '' || name > after);
  const page = rest.slice(0, limit);
  const next = rest.length > page.length ? Buffer.from(page.at(-1)!.name).toString('base64url') : '';
  return { ...kvBody(page), next_position: next };
}

function makeKv({ name, version, subscribers, createdAt, updatedAt }: Topic): object {
  return {
    id: idOf(name),
    create_time: rfc3339(createdAt),
    update_time: rfc3339(updatedAt),
    cat: topicCategory,
    k: name,
    v: JSON.stringify(subscribers.map(({ url, remark }) => ({ url, remark }))),
    version,
  };
}

/** What `resetCronTime` asks for. */
export interface ResetCronTime {
  /** What is due later than this after now is made due now. Milliseconds. */
  readonly dueAfterMs: number;
  readonly limit: number;
}

/** Reads the query of `resetCronTime`. @throws AmendsError `invalid_request` naming the parameter */
export function parseResetCronTime(query: Query, timeoutToFailMs: number): ResetCronTime {
  const seconds = readDigits(query, 'timeout');
  const limit = readDigits(query, 'limit') ?? 100;
  if (limit < 1) refuse('limit', `is ${limit}, must be at least 1`);
  return { dueAfterMs: seconds === null ? 3 * timeoutToFailMs : seconds * 1000, limit: Math.min(limit, limits.pageRowsMax) };
}
