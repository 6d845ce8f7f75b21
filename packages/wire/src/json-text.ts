/**
 * JSON bodies as they come from outside: decoded strictly, bounded in depth and keys, without keys that could reach a
 * prototype, and without losing digits of numbers that a double cannot hold.
 */
import { isUtf8 } from 'node:buffer';
import { limits } from '@amends/core';
import { refuse } from './field-error.ts';
import { malformedAt } from './json-position.ts';

/** Names that would reach a prototype; also when written with escapes. */
const suspicious = /__proto__|constructor|\\u00/;
const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor']);

/** Digits that a double may not hold: then numbers are kept as they were written. */
const longNumber = /\d{16}|[\d.][eE][+-]?\d/;

/**
 * Parses a body.
 * @param bytes the body as received, at most the body limit
 * @throws AmendsError `invalid_request` naming `body` and the position, or the key that is refused
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) refuse('body', 'is not valid UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (text.length === 0) refuse('body', 'is empty; send a JSON object');
  return parseJsonText('body', text);
}

/**
 * Parses JSON text, such as a body or a field that holds JSON of its own.
 * @throws AmendsError `invalid_request` naming `field` and the position, or the key that is refused
 */
export function parseJsonText(field: string, text: string): unknown {
  const value = parsed(field, text);
  checkShape(value, { field, keys: 0, suspicious: suspicious.test(text) }, 1);
  return value;
}

function parsed(field: string, text: string): unknown {
  try {
    return longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse(field, `is not JSON: ${malformedAt(text)}`);
  }
}

/** Since ES2025; not yet in the library types of TypeScript's es2024. */
const { rawJSON, isRawJSON } = JSON as unknown as { rawJSON(text: string): object; isRawJSON(value: unknown): boolean };

/** Whether a parsed value is a number that was kept as it was written; to JavaScript it is an object. */
export function isLongNumber(value: unknown): boolean {
  return isRawJSON(value);
}

/** Replaces a number that a double would change by its text, which `JSON.stringify` writes back as it was. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return significant(String(value)) === significant(context.source) ? value : rawJSON(context.source);
}

/** The digits that matter, for comparing two spellings of a number. Equal numbers of other exponents may differ, never equal digits of other numbers. */
function significant(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (digits.length - trimmed.length);
  return trimmed === '' ? '0' : `${trimmed}e${scale}`;
}

interface Walk {
  readonly field: string;
  keys: number;
  readonly suspicious: boolean;
}

function checkShape(value: unknown, walk: Walk, depth: number): void {
  if (typeof value !== 'object' || value === null || isLongNumber(value)) return;
  if (depth > limits.jsonDepthMax) refuse(walk.field, `is nested deeper than ${limits.jsonDepthMax} levels`);
  if (Array.isArray(value)) {
    for (const item of value) checkShape(item, walk, depth + 1);
    return;
  }
  for (const key of Object.keys(value)) {
    if (++walk.keys > limits.jsonKeysMax) refuse(walk.field, `has more than ${limits.jsonKeysMax} keys`);
    if (walk.suspicious && forbiddenKeys.has(key)) refuse(walk.field, `has the key ${key}, which is not allowed anywhere`);
    checkShape((value as Record<string, unknown>)[key], walk, depth + 1);
  }
}
