/** Query parameters of DTM's routes: texts, each at most once. */
import { refuse } from '@amends/core';

/** A parsed query. */
export type Query = Readonly<Record<string, unknown>>;

/** A parameter; empty when it is left out. @throws AmendsError `invalid_request` naming it */
export function parameter(query: Query, name: string): string {
  const value = query[name];
  if (value === undefined) return '';
  if (typeof value !== 'string') refuse(name, 'is given more than once');
  return value;
}

/** A whole number; null when it is left out. The words of the error are DTM's. @throws AmendsError `invalid_request` naming it */
export function readDigits(query: Query, name: string): number | null {
  const value = parameter(query, name);
  if (value === '') return null;
  if (!/^\d{1,15}$/.test(value)) refuse(name, `convert to int error: ${value}`);
  return Number(value);
}
