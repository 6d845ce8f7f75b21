/** Query parameters and small bodies of the native API. */
import { epochMs, limits } from '@amends/core';
import { z } from 'zod';
import { momentText, storableText } from './text-fields.ts';

/** Whole numbers arrive as text; anything but digits stays as it is and is refused by the schema. */
const fromDigits = (text: unknown) => (typeof text === 'string' && /^-?\d{1,16}$/.test(text) ? Number(text) : text);
const fromTruth = (text: unknown) => (text === 'true' ? true : text === 'false' ? false : text);

/** A whole number of a query. */
export function wholeNumber(min: number, max: number, fallback: number) {
  const error = `must be a whole number from ${min} to ${max}`;
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

/** Which transactions. */
export const listQuery = z.strictObject({
  status: z.enum(['prepared', 'submitted', 'aborting', 'succeed', 'failed']).optional(),
  mode: z.enum(['saga', 'msg', 'tcc', 'xa', 'workflow']).optional(),
  held: z.preprocess(fromTruth, z.boolean()).optional().describe('true: only those on hold; false: only those not'),
  createdFrom: momentText.optional().describe('Created at this moment or later'),
  createdBefore: momentText.optional().describe('Created before this moment'),
  limit: wholeNumber(1, limits.pageRowsMax, 50).describe('Rows of the page'),
  cursor: z.string().max(512).optional().describe('`next` of the page before'),
});

/** The moment of a text that `listQuery` has accepted. */
export function parseMoment(text: string) {
  return epochMs(Date.parse(text));
}

/** What a human gives for an act on a transaction. */
export const interventionSchema = z.strictObject({
  reason: storableText(limits.reasonCharactersMax).min(1).describe('Why; recorded in its history'),
  expectedVersion: z
    .int()
    .min(1)
    .optional()
    .describe('Act only if it still has this version, so that nobody acts on what has moved since it was looked at'),
});
