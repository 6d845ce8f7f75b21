/**
 * Whether two contents say the same: JSON does whatever the order of its keys, its white space and the spelling of its
 * characters.
 */
import { isLongNumber, parseKeepingDigits } from '../words/json-digits.ts';
import { textOf } from '../words/utf8.ts';

/** Whether two contents are equal: byte for byte, or as JSON, with every digit of their numbers. */
export function sameContent(one: Uint8Array, other: Uint8Array): boolean {
  if (sameBytes(one, other)) return true;
  const text = canonicalText(one);
  return text !== null && text === canonicalText(other);
}

/** One text for all that say the same as a parsed JSON value. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, at) => byte === other[at]);
}

/** null: it is no JSON, or nested too deep to be looked at. */
function canonicalText(bytes: Uint8Array): string | null {
  try {
    return canonicalJson(parseKeepingDigits(textOf(bytes)));
  } catch {
    return null;
  }
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isLongNumber(value)) return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const entries = Object.entries(value).map(([key, part]) => [key, sortKeys(part)] as const);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}
