/**
 * Texts of the native API, each with the pattern by which OpenAPI shows it. The patterns mean the same to every engine of regular
 * expressions: no flags, no `\w` and `\d`, which hold letters and digits of all scripts elsewhere.
 */
import { limits } from '@amends/core';
import { z } from 'zod';
import { headerName, headerValue, reservedHeaders } from '../input/outbound.ts';

const unstorable = 'must not contain U+0000 or broken surrogates';
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control character is what is refused
const storable = /^[^\u0000]*$/;

/** A text that every store gives back as it was. */
export function storableText(charactersMax: number) {
  return z
    .string()
    .max(charactersMax)
    .regex(storable, { error: unstorable })
    .refine((text) => text.isWellFormed(), { error: unstorable });
}

/** A gid that a caller chooses: no control characters, and no white space at its ends, where nobody sees it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const gid = /^[^\s\u0000-\u001f\u007f](?:[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f])?$/;

/** Identity of a transaction. */
export const gidText = z
  .string()
  .min(1)
  .max(limits.gidCharactersMax)
  .regex(gid, { error: 'must not contain control characters, nor begin or end with white space' });

/** Name of a topic; what it must be like is checked by `checkTopicName`. */
export const topicText = z.string().min(1).max(limits.topicCharactersMax).meta({ pattern: '^[^\\u0000-\\u001f\\u007f]+$' });

/** Who acts, in a header; checked by `actorOf`. */
export const actorText = z.string().max(limits.actorCharactersMax).default('anonymous');

/** An address, or nothing; what it must be like beyond its length is checked by `checkUrl`. */
export const urlText = z
  .string()
  .max(limits.urlCharactersMax)
  .meta({ pattern: `^(${httpPattern()})?$`, examples: ['https://bank.example/out'] });

/** What a message is delivered to: an address, a topic, or nothing; checked by `checkMessage`. */
export const deliveryText = z
  .string()
  .max(limits.urlCharactersMax)
  .meta({ pattern: `^(${httpPattern()}|topic://.+)?$`, examples: ['https://bank.example/out'] });

/** A subscriber: an address, or a method of gRPC; checked by `checkSubscription`. */
export const subscriberText = z
  .string()
  .min(1)
  .max(limits.urlCharactersMax)
  .meta({
    pattern: `^(${httpPattern()}|([gG][rR][pP][cC][sS]?://)?[^/\\s@?#\\\\]+:[0-9]{1,5}/[A-Za-z0-9_.]+/[A-Za-z0-9_]+)$`,
    examples: ['https://bank.example/in', 'bank.example:443/bank.Bank/In'],
  });

function httpPattern(): string {
  return '[hH][tT]{2}[pP][sS]?://[^\\u0000-\\u0020\\u007f\\\\#/][^\\u0000-\\u0020\\u007f\\\\#]*';
}

export const momentText = z.iso
  .datetime({ offset: true, error: 'must be a moment in ISO 8601 with a time zone, such as 2030-01-31T12:00:00.000Z' })
  .describe('ISO 8601 with seconds and a time zone');

/** Headers of calls; checked by `checkHeaders`. */
export const headersText = z.record(z.string(), z.string()).meta({
  maxProperties: limits.headersMax,
  propertyNames: {
    maxLength: limits.headerNameCharactersMax,
    pattern: headerName.source,
    not: { pattern: `^(${[...reservedHeaders].map(inAnyCase).join('|')})$` },
  },
  additionalProperties: { type: 'string', maxLength: limits.headerCharactersMax, pattern: headerValue.source },
});

function inAnyCase(name: string): string {
  return name.replace(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
}
