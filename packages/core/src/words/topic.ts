/** Topics: names under which several addresses receive a message. */
import type { EpochMs } from './ids.ts';

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
