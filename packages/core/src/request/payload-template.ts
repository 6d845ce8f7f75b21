/**
 * Payloads that refer to answers of steps: anywhere in a JSON payload `{"$from": "STEP", "path": "$.a.b[0]"}` stands for that
 * part of the answer which the step of that name kept. When the saga is created the payload is cut into pieces, texts and
 * references; to send it, the parts of the answers are put between the texts, digit for digit. No code is run for it.
 */
import { isLongNumber } from '../words/json-digits.ts';

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
  if (Object.hasOwn(value, '$from')) return void pieces.push(readReference(value as { $from: unknown }, refuse), '');
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

function readReference(
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

export function referencesOf(template: PayloadTemplate): readonly PayloadReference[] {
  return template.filter((piece) => typeof piece !== 'string');
}

/** A path as a reference has it. */
export function pathText(path: PayloadReference['path']): string {
  return `$${path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')}`;
}
