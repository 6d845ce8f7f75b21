/** What topics and their subscribers must be like, for every face. */
import { limits, refuse, type Subscription } from '@amends/core';
import { checkTarget } from './target.ts';

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
