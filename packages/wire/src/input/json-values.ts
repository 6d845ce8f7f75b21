/** JSON values as what they must be. Each function throws AmendsError `invalid_request` naming `field`. */
import { isLongNumber, limits, refuse } from '@amends/core';
import { shown } from './shown.ts';

/** A value that must be an object. */
export function readObject(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) refuse(field, `is ${shown(value)}, must be an object`);
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLongNumber(value);
}

/** A value that must be an array, of no more than a transaction may have of anything. */
export function readArray(field: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) refuse(field, `is ${shown(value)}, must be an array`);
  if (value.length > limits.branchesMax) refuse(field, `has ${value.length} entries, at most ${limits.branchesMax} are allowed`);
  return value;
}

/** An object whose values are texts or null. @param index of the object in a list of that name; left out: it is in none */
export function textMap(field: string, value: unknown, index?: number): Readonly<Record<string, string>> {
  const source = isObject(value) ? value : readObject(nameOf(field, index), value);
  const texts: Record<string, string> = {};
  for (const key in source) {
    const text = source[key];
    texts[key] = typeof text === 'string' ? text : textOrEmpty(`${nameOf(field, index)}.${key}`, text);
  }
  return texts;
}

/** A value that must be a text; null stands for the empty one. @param index as above */
export function textOrEmpty(field: string, value: unknown, index?: number): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : readText(nameOf(field, index), value);
}

/** Names are made where something is wrong with what they name. */
function nameOf(field: string, index: number | undefined): string {
  return index === undefined ? field : `${field}[${index}]`;
}

/** A value that must be a text. */
export function readText(field: string, value: unknown): string {
  if (typeof value !== 'string') refuse(field, `is ${shown(value)}, must be a text`);
  return value;
}

/** A value that must be true or false. */
export function readTruth(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') refuse(field, `is ${shown(value)}, must be true or false`);
  return value;
}

/** A value that must be a whole number from 0. */
export function readCount(field: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    refuse(field, `is ${shown(value)}, must be a whole number from 0`);
  return value;
}
