/**
 * JSON bodies as they come from outside: decoded strictly, bounded in depth and keys, without keys that could reach a
 * prototype, without keys that are there twice with different values, and without losing digits of numbers that a double cannot
 * hold.
 */
import { isUtf8 } from 'node:buffer';
import { isLongNumber, limits, parseKeepingDigits, refuse } from '@amends/core';
import { contradictedKey, malformedAt } from './json-position.ts';
import { scanJson } from './json-scan.ts';
import { shown } from './shown.ts';

/** Names that would reach a prototype; also when written with escapes. */
const suspicious = /__proto__|constructor|\\u00/;
const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor']);

/**
 * Parses a body.
 * @param bytes the body as received, at most the body limit
 * @throws AmendsError `invalid_request` naming `body` and the position, or the key that is refused
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) refuse('body', 'is not valid UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (text.length === 0) refuse('body', 'is empty; send a JSON object');
  return parseChecked('body', text);
}

/**
 * Parses JSON text, such as a body or a field that holds JSON of its own.
 * @throws AmendsError `invalid_request` naming `field` and the position, or the key that is refused
 */
export function parseJsonText(field: string, text: string): unknown {
  return parseChecked(field, text);
}

function parseChecked(field: string, text: string): unknown {
  const { keys, hasLongNumber } = scanJson(text);
  const value = parseText(field, text, hasLongNumber);
  const walk: Walk = { field, keys: 0, suspicious: suspicious.test(text) };
  checkShape(value, walk, 1);
  if (keys > limits.jsonKeysMax) refuse(field, `has more than ${limits.jsonKeysMax} keys`);
  if (keys !== walk.keys) refuseContradiction(field, text);
  return value;
}

/**
 * `JSON.parse` keeps the last of two equal keys, other readers the first: such a text means different things on its way,
 * unless the values are the same. DTM's client for Java writes `subType` twice.
 */
function refuseContradiction(field: string, text: string): void {
  const found = contradictedKey(text);
  if (found === null) return;
  const { key, at } = found;
  refuse(
    field,
    `has the key ${shown(key)} twice in one object with different values, again at position ${at}; leave one of them out`,
  );
}

function parseText(field: string, text: string, hasLongNumber: boolean): unknown {
  try {
    return hasLongNumber ? parseKeepingDigits(text) : JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) refuse(field, `is nested deeper than ${limits.jsonDepthMax} levels`);
    if (!(error instanceof SyntaxError)) throw error;
    refuse(field, `is not JSON: ${malformedAt(text)}`);
  }
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
