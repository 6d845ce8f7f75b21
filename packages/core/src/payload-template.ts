/**
 * Payloads that refer to answers of earlier steps: anywhere in a JSON payload `{"$from": "STEP", "path": "$.a.b[0]"}` stands
 * for that part of the answer which the step of that name kept. No code is run for it; what is not there is a clear refusal.
 */
import type { Given } from './given.ts';
import { branchIdOfStep } from './ids.ts';
import type { SagaSpec } from './spec.ts';

/** Where a payload refers to. */
export interface PayloadReference {
  /** Name of the step whose answer is meant. */
  readonly from: string;
  /** Names and indexes, from the root of the answer. */
  readonly path: readonly (string | number)[];
}

/** Bytes as text and back; core has no decoder of its own, the JSON is therefore kept as text. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The payload of a step as it is sent. Call only when `missingAnswer` says null. */
export function rendered(given: Given<SagaSpec>, index: number): Uint8Array {
  const { spec } = given;
  const template = spec.templates?.[index] ?? null;
  if (template === null) return spec.payloads[index]!;
  return utf8(JSON.stringify(filled(given, template as Json)));
}

/** Why a payload cannot be made: the reference that leads nowhere; null: it can. */
export function missingAnswer(given: Given<SagaSpec>, index: number): string | null {
  for (const { from, path } of referencesOf(given.spec.templates?.[index] ?? null))
    if (found(given, from, path) === undefined)
      return `payload refers to ${pathText(path)} of the answer of step ${from}, which is not there`;
  return null;
}

/** The references in a payload, in order. */
export function referencesOf(template: unknown): readonly PayloadReference[] {
  if (typeof template !== 'object' || template === null) return [];
  const reference = asReference(template);
  if (reference !== null) return [reference];
  return Object.values(template).flatMap(referencesOf);
}

function asReference(value: object): PayloadReference | null {
  const { $from: from, path = '$' } = value as { $from?: unknown; path?: unknown };
  if (typeof from !== 'string') return null;
  const steps = typeof path === 'string' ? parsePath(path) : null;
  return steps === null ? null : { from, path: steps };
}

/** Names and indexes of `$.a.b[0]`; null when it is not of that form. */
export function parsePath(text: string): readonly (string | number)[] | null {
  if (!/^\$(\.[A-Za-z_][\w-]*|\[\d{1,9}\])*$/.test(text)) return null;
  return [...text.matchAll(/\.([A-Za-z_][\w-]*)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
}

function filled(given: Given<SagaSpec>, template: Json): Json {
  if (typeof template !== 'object' || template === null) return template;
  const reference = asReference(template);
  if (reference !== null) return found(given, reference.from, reference.path)!;
  if (Array.isArray(template)) return template.map((item: Json) => filled(given, item));
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(given, value)]));
}

function found(given: Given<SagaSpec>, from: string, path: PayloadReference['path']): Json | undefined {
  const index = given.spec.steps.findIndex((step) => step.name === from);
  const kept = given.answers.get(branchIdOfStep(index));
  if (kept === undefined) return undefined;
  let value: unknown = parsed(kept);
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value as Json | undefined;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes));
  } catch {
    return undefined;
  }
}

function pathText(path: PayloadReference['path']): string {
  return `$${path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')}`;
}

/** UTF-8 by the language's own means. */
function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(escaped, (letter) => letter.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  let escaped = '';
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  return decodeURIComponent(escaped);
}
