/**
 * Topics: names under which several addresses receive a message. Each is one document of the store, changed by
 * compare-and-swap and read for each message, so a subscription counts at once and everywhere.
 *
 * A topic that is deleted stays as a document without subscribers: made again, it goes on with a higher version.
 */
import { AmendsError, type EpochMs, epochMs, limits, type Subscription, type Topic, type TopicVerdict } from '@amends/core';
import type { CommitAnswer, Store, StoredDocument } from '@amends/store';
import type { CheckAddress } from '../calls/address/network-address.ts';
import { parseAddress } from '../calls/address/parse-address.ts';
import { targetRefuser } from '../calls/address/targets.ts';

/** Who subscribes to what. */
export interface Topics {
  /** Addresses that subscribe to each of these topics, as of now; a topic that does not exist is left out. */
  subscribers(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Adds an address, and the topic if it is new. @throws AmendsError `invalid_request` when it may never be called */
  subscribe(topic: string, subscription: Subscription, by: TopicAct): Promise<TopicVerdict>;
  /** Adds an address, or gives it another remark. @returns the topic as it is then */
  put(topic: string, subscription: Subscription, by: TopicAct): Promise<Topic>;
  /** Takes an address away; the topic stays. */
  unsubscribe(topic: string, url: string, by: TopicAct): Promise<TopicVerdict>;
  /** Takes the topic away with all its subscribers. */
  deleteTopic(topic: string, by: TopicAct): Promise<TopicVerdict>;
  /** One topic; null: there is none. */
  get(topic: string): Promise<Topic | null>;
  /** All topics, by name. */
  list(): Promise<readonly Topic[]>;
}

/** Who changes a topic, for the audit. */
export interface TopicAct {
  readonly actor: string;
  readonly reason: string;
}

/** What the topics are kept in. */
export interface TopicsOptions {
  readonly store: Store;
  /** The store's time. */
  readonly now: () => EpochMs;
  /** Asked about addresses that are given as such; names are judged when they are called. */
  readonly checkAddress: CheckAddress;
}

const kind = 'topic';
/** Somebody wins each round, so whoever loses this many has met as many changes of others. */
const roundsMax = 200;

/** What a document holds: JSON. */
interface Content {
  readonly subscribers: readonly Subscription[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted?: true;
}

/** What a change makes of a topic, or why it makes nothing of it. */
type Move = { readonly verdict: 'done'; readonly subscribers: readonly Subscription[] | null } | { readonly verdict: Refusal };
type Refusal = Exclude<TopicVerdict, 'done'>;

/** Makes topics on a store. */
export function storedTopics({ store, now, checkAddress }: TopicsOptions): Topics {
  const refuse = targetRefuser((url) => parseAddress(url, checkAddress));

  async function find(topic: string): Promise<StoredDocument | null> {
    const [found] = await store.documents(kind, topic);
    return found ?? null;
  }

  async function change(
    topic: string,
    verb: string,
    by: TopicAct & { detail: object },
    move: (found: StoredDocument | null) => Move,
  ) {
    for (let round = 0; round < roundsMax; round++) {
      const found = await find(topic);
      const moved = move(found);
      if (moved.verdict !== 'done') return moved.verdict;
      const at = now();
      const content = contentOf(found, moved.subscribers, at);
      const document = { kind, key: topic, expectedVersion: found?.version ?? 0, content };
      const audit = {
        at,
        gid: '',
        actor: by.actor,
        verb,
        reason: by.reason,
        detail: JSON.stringify({ topic, ...by.detail }),
      } as const;
      const [answer] = await store.commit([{ row: null, documents: [document], audit: [audit] }]);
      if (await isApplied(answer!, { version: document.expectedVersion + 1, content, topic })) return 'done';
    }
    throw new AmendsError('overloaded', `the topic ${topic} is being changed by others all the time; try again in a moment`);
  }

  /** @throws AmendsError `store_refused` */
  async function isApplied(answer: CommitAnswer, written: { version: number; content: string; topic: string }): Promise<boolean> {
    switch (answer.outcome) {
      case 'applied':
        return true;
      case 'conflict':
        return false;
      case 'unknown': {
        const found = await find(written.topic);
        return found?.version === written.version && found.content === written.content;
      }
      case 'refused':
        throw new AmendsError('store_refused', `the store does not take the topic ${written.topic}: ${answer.message}`);
    }
  }

  return {
    async subscribers(names) {
      const topics = await Promise.all(names.map(async (name) => topicOf(await find(name))));
      const known = topics.filter((topic) => topic !== null);
      return new Map(known.map(({ name, subscribers }) => [name, subscribers.map(({ url }) => url)]));
    },
    async subscribe(topic, subscription, by) {
      refuse([{ field: 'url', url: subscription.url }]);
      return change(topic, 'subscribe', { ...by, detail: subscription }, (stored) => {
        const found = topicOf(stored);
        return subscribed(found, subscription.url) ? { verdict: 'url_exists' } : added(found, subscription);
      });
    },
    async put(topic, subscription, by) {
      refuse([{ field: 'url', url: subscription.url }]);
      const verdict = await change(topic, 'subscribe', { ...by, detail: subscription }, (found) =>
        put(topicOf(found), subscription),
      );
      if (verdict === 'too_many')
        throw new AmendsError(
          'invalid_request',
          `url: the topic has ${limits.subscribersMax} subscribers, which is as many as are allowed`,
        );
      const found = topicOf(await find(topic));
      if (found === null) throw new AmendsError('conflict', `the topic ${topic} has been deleted meanwhile`);
      return found;
    },
    unsubscribe: (topic, url, by) =>
      change(topic, 'unsubscribe', { ...by, detail: { url } }, (stored) => {
        const found = topicOf(stored);
        if (found === null) return { verdict: 'no_topic' };
        if (found.subscribers.length === 0) return { verdict: 'no_subscribers' };
        if (!subscribed(found, url)) return { verdict: 'no_url' };
        return { verdict: 'done', subscribers: found.subscribers.filter((one) => one.url !== url) };
      }),
    deleteTopic: (topic, by) =>
      change(topic, 'delete-topic', { ...by, detail: {} }, (found) =>
        isThere(found) ? { verdict: 'done', subscribers: null } : { verdict: 'not_found' },
      ),
    get: async (topic) => topicOf(await find(topic)),
    list: async () => (await store.documents(kind)).map(topicOf).filter((topic) => topic !== null),
  };
}

function subscribed(topic: Topic | null, url: string): boolean {
  return topic?.subscribers.some((one) => one.url === url) === true;
}

function added(topic: Topic | null, subscription: Subscription): Move {
  const before = topic?.subscribers ?? [];
  if (before.length >= limits.subscribersMax) return { verdict: 'too_many' };
  return { verdict: 'done', subscribers: [...before, subscription] };
}

/** The same again changes nothing, not even the version. */
function put(topic: Topic | null, { url, remark }: Subscription): Move {
  const known = topic?.subscribers.find((one) => one.url === url);
  if (topic === null || known === undefined) return added(topic, { url, remark });
  if (known.remark === remark) return { verdict: 'url_exists' };
  return { verdict: 'done', subscribers: topic.subscribers.map((one) => (one.url === url ? { url, remark } : one)) };
}

/** @param subscribers null: the topic is deleted */
function contentOf(found: StoredDocument | null, subscribers: readonly Subscription[] | null, at: EpochMs): string {
  if (subscribers === null)
    return JSON.stringify({ subscribers: [], createdAt: at, updatedAt: at, deleted: true } satisfies Content);
  const before = found === null ? null : contentIn(found);
  const createdAt = before === null || before.deleted === true ? at : before.createdAt;
  return JSON.stringify({ subscribers, createdAt, updatedAt: at } satisfies Content);
}

/** @throws AmendsError `store_refused` */
function topicOf(found: StoredDocument | null): Topic | null {
  if (found === null) return null;
  const { subscribers, createdAt, updatedAt, deleted } = contentIn(found);
  if (deleted === true) return null;
  const times = { createdAt: epochMs(createdAt), updatedAt: epochMs(updatedAt) };
  return { name: found.key, version: found.version, subscribers, ...times };
}

/** What cannot be read is there, too: deleting it is the remedy. */
function isThere(found: StoredDocument | null): boolean {
  return found !== null && (parsed(found.content) as Partial<Content> | null)?.deleted !== true;
}

/** @throws AmendsError `store_refused` */
function contentIn({ key, content }: StoredDocument): Content {
  const read = parsed(content);
  if (isContent(read)) return read;
  throw new AmendsError(
    'store_refused',
    `topic: what is stored of ${JSON.stringify(key)} cannot be read; restore a backup, or delete the topic and subscribe to it again`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isContent(read: unknown): read is Content {
  const { subscribers, createdAt, updatedAt } = (read ?? {}) as Partial<Record<keyof Content, unknown>>;
  return Array.isArray(subscribers) && subscribers.every(isSubscription) && isNumber(createdAt) && isNumber(updatedAt);
}

function isSubscription(read: unknown): boolean {
  const { url, remark } = (read ?? {}) as Partial<Record<keyof Subscription, unknown>>;
  return typeof url === 'string' && typeof remark === 'string';
}

function isNumber(read: unknown): boolean {
  return typeof read === 'number';
}
