/** Topics and who subscribes to them, for every face. */
import { type EpochMs, limits } from '@amends/core';
import { checkTarget } from './dtm/target.ts';
import { refuse } from './field-error.ts';

/** One subscriber. */
export interface Subscription {
  /** Where messages are delivered: an HTTP address, or a gRPC method. */
  readonly url: string;
  /** For people. */
  readonly remark: string;
}

export interface Topic {
  readonly name: string;
  /** Grows with every change, also over a deletion. */
  readonly version: number;
  /** In the order in which they came. */
  readonly subscribers: readonly Subscription[];
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
}

/** What became of a change to a topic. */
export type TopicVerdict = 'done' | 'url_exists' | 'no_topic' | 'no_subscribers' | 'no_url' | 'not_found' | 'too_many';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const controlCharacters = /[\u0000-\u001f\u007f]/;

/** Refuses a name that no topic can have. @throws AmendsError `invalid_request` naming `topic` */
export function checkTopicName(topic: string): void {
  if (topic.length > limits.topicCharactersMax)
    refuse('topic', `has ${topic.length} characters, at most ${limits.topicCharactersMax} are allowed`);
  if (controlCharacters.test(topic) || !topic.isWellFormed())
    refuse('topic', 'must not contain control characters or broken surrogates');
}

/** Refuses a subscriber that nothing can be delivered to. @throws AmendsError `invalid_request` naming the field */
export function checkSubscription({ url, remark }: Subscription): void {
  checkTarget('url', url, 'grpc');
  if (remark.length > limits.reasonCharactersMax || remark.includes('\0') || !remark.isWellFormed())
    refuse(
      'remark',
      `has ${remark.length} characters; must have at most ${limits.reasonCharactersMax}, without U+0000 and broken surrogates`,
    );
}
