/**
 * Payloads that refer to answers of steps: anywhere in a JSON payload `{"$from": "STEP", "path": "$.a.b[0]"}` stands for that
 * part of the answer which the step of that name kept. When the saga is created the payload is cut into pieces, texts and
 * references; to send it, the parts of the answers are put between the texts, digit for digit. No code is run for it.
 *
 * A reference leads nowhere when the answer is no JSON, or has no such part. Then the call is not made (see `saga.ts`). One
 * kind of nowhere is nothing to stop at: a compensation may refer to the answer of its own action, and an action that was
 * refused, or never answered, has none. The compensation is called all the same, with null in that place: the
 * participant knows by gid and branch whether there is anything to undo.
 */
import type { Given } from './given.ts';
import { branchIdOfStep } from './ids.ts';
import { isLongNumber, parseKeepingDigits } from './json-digits.ts';
import type { SagaSpec } from './spec.ts';
import type { Way } from './transaction.ts';
import { textOf, utf8 } from './utf8.ts';

/** Where a payload refers to. */
export interface PayloadReference {
  /** Name of the step whose answer is meant. */
  readonly from: string;
  /** Names and indexes, from the root of the answer. */
  readonly path: readonly (string | number)[];
}

/** Texts as they are sent, and what is put between them. */
export type PayloadTemplate = readonly (string | PayloadReference)[];

/**
 * Cuts a payload into pieces.
 * @param payload parsed JSON
 * @param refuse is told what is wrong with a reference; must throw
 * @returns null when it refers to nothing
 */
export function payloadTemplate(payload: unknown, refuse: (complaint: string) => never): PayloadTemplate | null {
  const pieces: (string | PayloadReference)[] = [''];
  cut(payload, pieces, refuse);
  return pieces.length === 1 ? null : pieces;
}

function cut(value: unknown, pieces: (string | PayloadReference)[], refuse: (complaint: string) => never): void {
  if (typeof value !== 'object' || value === null || isLongNumber(value)) return add(pieces, JSON.stringify(value));
  if (Object.hasOwn(value, '$from')) return void pieces.push(referenceOf(value as { $from: unknown }, refuse), '');
  const isArray = Array.isArray(value);
  let separator = isArray ? '[' : '{';
  for (const [key, item] of Object.entries(value)) {
    add(pieces, isArray ? separator : `${separator}${JSON.stringify(key)}:`);
    cut(item, pieces, refuse);
    separator = ',';
  }
  add(pieces, `${separator === ',' ? '' : separator}${isArray ? ']' : '}'}`);
}

function add(pieces: (string | PayloadReference)[], text: string): void {
  pieces[pieces.length - 1] = `${pieces.at(-1) as string}${text}`;
}

function referenceOf(
  { $from: from, ...rest }: { readonly $from: unknown; readonly path?: unknown },
  refuse: (complaint: string) => never,
): PayloadReference {
  if (typeof from !== 'string') refuse('has a $from that is not the name of a step');
  const { path: text = '$', ...others } = rest;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) refuse(`has ${JSON.stringify(unknown)} beside $from; a reference has only $from and path`);
  const path = typeof text === 'string' ? parsePath(text) : null;
  if (path === null) refuse(`refers to the path ${JSON.stringify(text)}, must be of the form $.name.name[0]`);
  return { from, path };
}

/** Names and indexes of `$.a.b[0]`; null when it is not of that form. */
function parsePath(text: string): readonly (string | number)[] | null {
  if (!/^\$(\.[\p{L}_][\p{L}\p{N}_-]*|\[\d{1,9}\])*$/u.test(text)) return null;
  return [...text.matchAll(/\.([^.[]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
}

/** A payload as whoever has asked for it could have written it. */
export function templateText(template: PayloadTemplate): string {
  return template.map((piece) => (typeof piece === 'string' ? piece : referenceText(piece))).join('');
}

function referenceText({ from, path }: PayloadReference): string {
  return JSON.stringify({ $from: from, path: pathText(path) });
}

/** The references of a payload. */
export function referencesOf(template: PayloadTemplate): readonly PayloadReference[] {
  return template.filter((piece) => typeof piece !== 'string');
}

/** The payload of a call as it is sent; null stands where a reference leads nowhere. */
export function rendered(given: Given<SagaSpec>, index: number, way: Way): Uint8Array {
  const { spec } = given;
  const payload = payloadIndex(spec, index, way);
  const template = spec.templates?.[payload] ?? null;
  if (template === null) return spec.payloads[payload]!;
  const answerOf = answersOf(given);
  return utf8(
    template.map((piece) => (typeof piece === 'string' ? piece : (found(answerOf(piece.from), piece) ?? 'null'))).join(''),
  );
}

/**
 * Why a payload cannot be made: the reference that leads nowhere; null: it can.
 * @param silent the step has not succeeded: that its own answer is not there is nothing to stop at
 */
export function missingAnswer(
  given: Given<SagaSpec>,
  index: number,
  { way, silent }: { way: Way; silent: boolean },
): string | null {
  const { spec } = given;
  const template = spec.templates?.[payloadIndex(spec, index, way)] ?? null;
  if (template === null) return null;
  const answerOf = answersOf(given);
  for (const reference of referencesOf(template)) {
    if (silent && reference.from === spec.steps[index]!.name) continue;
    if (found(answerOf(reference.from), reference) === undefined)
      return `the payload refers to ${pathText(reference.path)} of the answer of ${reference.from}, which is not there`;
  }
  return null;
}

/** Which of the spec's payloads a call has. */
export function payloadIndex(spec: SagaSpec, index: number, way: Way): number {
  return way === 'forward' ? index : (spec.steps[index]!.compensatePayload ?? index);
}

/** Each answer is parsed once, however many references lead to it. */
function answersOf({ spec, answers }: Given<SagaSpec>): (name: string) => unknown {
  const known = new Map<string, unknown>();
  return (name) => {
    if (!known.has(name)) {
      const kept = answers.get(branchIdOfStep(spec.steps.findIndex((step) => step.name === name)));
      known.set(name, kept === undefined ? undefined : parsed(kept));
    }
    return known.get(name);
  };
}

/** The JSON text of a part of an answer; undefined: it is not there. */
function found(answer: unknown, { path }: PayloadReference): string | undefined {
  let value = answer;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || isLongNumber(value)) return undefined;
    if (Array.isArray(value) !== (typeof part === 'number') || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value === undefined ? undefined : JSON.stringify(value);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseKeepingDigits(textOf(bytes));
  } catch {
    return undefined;
  }
}

function pathText(path: PayloadReference['path']): string {
  return `$${path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')}`;
}
