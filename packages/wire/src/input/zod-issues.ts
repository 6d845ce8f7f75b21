/** What a schema complains about, as complaints about fields. */
import { AmendsError, type FieldIssue, isLongNumber } from '@amends/core';
import type { z } from 'zod';
import { shown } from './shown.ts';

/** More complaints than this about one request help nobody. */
const issuesShownMax = 10;

/**
 * Parses by a schema.
 * @param at path before the fields in messages, such as `query.`
 * @throws AmendsError `invalid_request` with every field that is wrong, the first ten
 */
export function parseBy<T>(schema: z.ZodType<T>, value: unknown, at = ''): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const firstByField = new Map<string, FieldIssue>();
  for (const issue of result.error.issues.filter(isTrueLimit).flatMap((each) => issuesOf(each, at))) {
    if (firstByField.size === issuesShownMax) break;
    if (!firstByField.has(issue.field)) firstByField.set(issue.field, issue);
  }
  throw new AmendsError('invalid_request', [...firstByField.values()]);
}

/** What a double can hold of whole numbers is no limit of ours where there is another. */
function isTrueLimit(issue: z.core.$ZodIssue, index: number, all: readonly z.core.$ZodIssue[]): boolean {
  if ((issue.code !== 'too_big' && issue.code !== 'too_small') || issue.origin !== 'int') return true;
  const field = pathText(issue.path);
  return !all.some((other, at) => at > index && other.code === issue.code && pathText(other.path) === field);
}

function issuesOf(issue: z.core.$ZodIssue, at: string): readonly FieldIssue[] {
  const field = at + pathText(issue.path) || 'body';
  if (issue.code !== 'unrecognized_keys') return [{ field, message: complaint(issue) }];
  const prefix = issue.path.length === 0 ? at : `${field}.`;
  return issue.keys.map((key) => ({ field: prefix + key, message: 'is not known here; check the spelling or leave it out' }));
}

/** Path of a field as people write it: `steps[0].action`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function complaint(issue: z.core.$ZodIssue): string {
  // The schema's own words, not the library's.
  if (issue.message.startsWith('must '))
    return issue.message.includes(', is ') ? issue.message : `${issue.message}, ${describe(issue.input)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${nouns[issue.expected] ?? issue.expected}, ${describe(issue.input)}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, ${issue.input === undefined ? 'is missing' : `is ${shown(issue.input)}`}`;
    case 'too_big':
      return `must ${sizeWord(issue.origin)} at most ${issue.maximum}${unit(issue.origin, issue.maximum)}, ${sizeOf(issue.input)}`;
    case 'too_small':
      return `must ${sizeWord(issue.origin)} at least ${issue.minimum}${unit(issue.origin, issue.minimum)}, ${sizeOf(issue.input)}`;
    default:
      return issue.message;
  }
}

const nouns: Readonly<Record<string, string>> = {
  array: 'an array',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};

function describe(value: unknown): string {
  return value === undefined ? 'is missing' : `is ${kindOf(value)}`;
}

/** A value as far as its limit goes: a long text is not told again to whoever sent it. */
function sizeOf(value: unknown): string {
  return typeof value === 'string' || Array.isArray(value) ? `has ${value.length}` : describe(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && !isLongNumber(value) ? 'an object' : shown(value);
}

function sizeWord(origin: string): string {
  return origin === 'number' || origin === 'int' ? 'be' : 'have';
}

function unit(origin: string, count: number | bigint): string {
  const isOne = Number(count) === 1;
  if (origin === 'string') return isOne ? ' character' : ' characters';
  if (origin === 'array') return isOne ? ' entry' : ' entries';
  return '';
}
