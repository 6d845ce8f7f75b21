/** Query parameters and small bodies of the native API. */
import { epochMs, limits } from '@amends/core';
import { z } from 'zod';
import { refuse } from '../field-error.ts';

/** Whole numbers arrive as text; anything but digits stays as it is and is refused by the schema. */
const fromDigits = (text: unknown) => (typeof text === 'string' && /^-?\d{1,15}$/.test(text) ? Number(text) : text);
const fromTruth = (text: unknown) => (text === 'true' ? true : text === 'false' ? false : text);

function wholeNumber(min: number, max: number, fallback: number) {
  const error =
    max === Number.MAX_SAFE_INTEGER ? `must be a whole number from ${min}` : `must be a whole number from ${min} to ${max}`;
  return z.preprocess(fromDigits, z.int({ error }).min(min, { error }).max(max, { error })).default(fallback);
}

/** How long an answer may wait for an outcome. */
export const waitQuery = z.strictObject({
  waitMs: wholeNumber(0, limits.waitMsMax, 0).describe(
    'Wait at most this long, in milliseconds. Answered as soon as the transaction is finished, is held, or is quiet until a later retry; when the time is over, as it is then. While `outcome` is still running and a moment is known at which it goes on, `Retry-After` says in how many seconds',
  ),
});

/** Which history rows. */
export const historyQuery = z.strictObject({
  afterSeq: wholeNumber(0, Number.MAX_SAFE_INTEGER, 0).describe('Rows after this sequence number'),
  limit: wholeNumber(1, limits.historyRowsMax, 1_000).describe('Rows at most'),
});

/** A moment as a text. */
export const moment = z
  .string()
  .refine((text) => isoMoment.test(text) && !Number.isNaN(Date.parse(text)), {
    error: 'must be a moment in ISO 8601 with a time zone, such as 2030-01-31T12:00:00.000Z',
  })
  .describe('ISO 8601 with a time zone');
const isoMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Which transactions. */
export const listQuery = z.strictObject({
  status: z.enum(['prepared', 'submitted', 'aborting', 'succeed', 'failed']).optional(),
  mode: z.enum(['saga', 'msg', 'tcc', 'xa', 'workflow']).optional(),
  held: z.preprocess(fromTruth, z.boolean()).optional().describe('true: only those on hold; false: only those not'),
  createdFrom: moment.optional().describe('Created at this moment or later'),
  createdBefore: moment.optional().describe('Created before this moment'),
  limit: wholeNumber(1, limits.pageRowsMax, 50).describe('Rows of the page'),
  cursor: z.string().max(512).optional().describe('`next` of the page before'),
});

/** The moment of a text that `listQuery` has accepted. */
export function momentOf(text: string) {
  return epochMs(Date.parse(text));
}

/** What every store gives back as it was. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** What a human gives for an act on a transaction. */
export const interventionSchema = z.strictObject({
  reason: z
    .string()
    .min(1)
    .max(limits.reasonCharactersMax)
    .refine(isStorable, { error: 'must not contain U+0000 or broken surrogates' })
    .describe('Why; recorded in its history'),
  expectedVersion: z
    .int()
    .min(1)
    .optional()
    .describe('Act only if it still has this version, so that nobody acts on what has moved since it was looked at'),
});

const actorCharactersMax = 128;

/**
 * Who acts, by the header `X-Amends-Actor`.
 * @throws AmendsError `invalid_request` when it is too long
 */
export function actorOf(header: string | readonly string[] | undefined): string {
  const actor = typeof header === 'string' ? header.trim() : '';
  if (actor.length > actorCharactersMax)
    refuse('X-Amends-Actor', `has ${actor.length} characters, at most ${actorCharactersMax} are allowed`);
  return actor === '' ? 'anonymous' : actor;
}
