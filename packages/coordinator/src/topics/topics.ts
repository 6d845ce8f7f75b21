/**
 * Topics on a store. Each is one document, changed by compare-and-swap and read for each message, so a subscription counts at
 * once and everywhere. A topic that is deleted and made again goes on with a higher version.
 */
import { AmendsError, type EpochMs, limits, refuse, type Subscription, type Topic, type TopicVerdict } from '@amends/core';
import type { CommitAnswer, Store, StoredDocument } from '@amends/store';
import type { CheckAddress } from '../calls/address/network-address.ts';
import { parseAddress } from '../calls/address/parse-address.ts';
import { refuseField } from '../calls/address/targets.ts';
import { put, subscribe, type TopicChange, unsubscribe } from './topic-changes.ts';
import { contentOf, isThere, readTopic, topicKind } from './topic-document.ts';

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

/** Somebody wins each round, so whoever loses this many has met as many changes of others. */
const roundsMax = 200;

/** Makes topics on a store. */
export function storedTopics({ store, now, checkAddress }: TopicsOptions): Topics {
  const judge = ({ url }: Subscription) => refuseField('url', parseAddress(url, checkAddress).forbidden);
  const find = async (topic: string) => (await store.documents(topicKind, topic))[0] ?? null;
  const change = (act: ChangeAct, make: (found: StoredDocument | null) => TopicChange) =>
    changeTopic({ store, now, find }, act, make);
  return {
    async subscribers(names) {
      const topics = await Promise.all(names.map(async (name) => readTopic(await find(name))));
      const known = topics.filter((topic) => topic !== null);
      return new Map(known.map(({ name, subscribers }) => [name, subscribers.map(({ url }) => url)]));
    },
    async subscribe(topic, subscription, by) {
      judge(subscription);
      const act = { topic, verb: 'subscribe', by, detail: subscription };
      return change(act, (found) => subscribe(readTopic(found), subscription));
    },
    async put(topic, subscription, by) {
      judge(subscription);
      const act = { topic, verb: 'subscribe', by, detail: subscription };
      const verdict = await change(act, (found) => put(readTopic(found), subscription));
      if (verdict === 'too_many')
        refuse('url', `the topic has ${limits.subscribersMax} subscribers, which is as many as are allowed`);
      const stored = readTopic(await find(topic));
      if (stored === null) throw new AmendsError('conflict', `the topic ${topic} has been deleted meanwhile`);
      return stored;
    },
    unsubscribe: (topic, url, by) =>
      change({ topic, verb: 'unsubscribe', by, detail: { url } }, (found) => unsubscribe(readTopic(found), url)),
    deleteTopic: (topic, by) =>
      change({ topic, verb: 'delete-topic', by, detail: {} }, (found) =>
        isThere(found) ? { verdict: 'done', subscribers: null } : { verdict: 'not_found' },
      ),
    get: async (topic) => readTopic(await find(topic)),
    list: async () => (await store.documents(topicKind)).map(readTopic).filter((topic) => topic !== null),
  };
}

/** One change of one topic, as the audit tells it. */
interface ChangeAct {
  readonly topic: string;
  readonly verb: string;
  readonly by: TopicAct;
  readonly detail: object;
}

interface Documents extends Pick<TopicsOptions, 'store' | 'now'> {
  readonly find: (topic: string) => Promise<StoredDocument | null>;
}

/**
 * Changes a topic, again from the start for as long as others change it meanwhile.
 * @throws AmendsError `overloaded`, `store_refused`
 */
async function changeTopic(
  { store, now, find }: Documents,
  { topic, verb, by, detail }: ChangeAct,
  make: (found: StoredDocument | null) => TopicChange,
): Promise<TopicVerdict> {
  for (let round = 0; round < roundsMax; round++) {
    const found = await find(topic);
    const made = make(found);
    if (made.verdict !== 'done') return made.verdict;
    const at = now();
    const expectedVersion = found?.version ?? 0;
    const document = { kind: topicKind, key: topic, expectedVersion, content: contentOf(found, made.subscribers, at) };
    const audit = { at, gid: '', verb, ...by, detail: JSON.stringify({ topic, ...detail }) } as const;
    const [answer] = await store.commit([{ row: null, documents: [document], audit: [audit] }]);
    if (await isApplied(answer!, { ...document, find })) return 'done';
  }
  throw new AmendsError('overloaded', `the topic ${topic} is being changed by others all the time; try again in a moment`);
}

interface Written extends Pick<Documents, 'find'> {
  readonly key: string;
  readonly expectedVersion: number;
  readonly content: string;
}

/** An unknown fate is read back. @throws AmendsError `store_refused` */
async function isApplied(answer: CommitAnswer, { key, expectedVersion, content, find }: Written): Promise<boolean> {
  switch (answer.fate) {
    case 'applied':
      return true;
    case 'conflict':
      return false;
    case 'unknown': {
      const found = await find(key);
      return found?.version === expectedVersion + 1 && found.content === content;
    }
    case 'refused':
      throw new AmendsError('store_refused', `the store does not take the topic ${key}: ${answer.message}`);
  }
}
