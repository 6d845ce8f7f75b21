/**
 * Where a text stops being JSON, or contradicts itself: for texts that something is wrong with already, so it may take its time.
 */

const whitespace = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/y;

type Expecting = 'value' | 'value or ]' | 'key' | 'key or }' | ': after the key' | ', or the end' | 'the end of the text';

interface Place {
  readonly at: number;
  readonly expecting: Expecting;
}

/** What was expected where, such as `expected a value at position 5`. */
export function malformedAt(text: string): string {
  const { at, expecting } = firstFault(text);
  const wanted = expecting.startsWith('value') || expecting.startsWith('key') ? `a ${expecting}` : expecting;
  const met = at >= text.length ? ', but the text ends there' : '';
  return `expected ${wanted} at position ${at}${met}`;
}

function firstFault(text: string): Place {
  const tokens = tokensOf(text);
  for (;;) {
    const { done, value } = tokens.next();
    if (done) return value;
  }
}

/** An object or array that is being read: the keys that it has, with their values as text, and the key under way. */
interface Frame {
  readonly values: Map<string, string>;
  pending: { readonly key: string; readonly at: number; from: number } | null;
}

/** The first key that an object has already with another value, in a text that is JSON; null: there is none. */
export function contradictedKey(text: string): { readonly key: string; readonly at: number } | null {
  const frames: Frame[] = [emptyFrame()];
  for (const { at, end, depth, isKey } of tokensOf(text)) {
    const char = text[at]!;
    if (char === ':' || char === ',') continue;
    const opens = char === '{' || char === '[';
    const frame = frames[opens ? depth - 1 : depth]!;
    if (isKey) frame.pending = { key: JSON.parse(text.slice(at, end)), at, from: -1 };
    else if (frame.pending?.from === -1) frame.pending.from = at;
    if (opens) frames[depth] = emptyFrame();
    const contradiction = opens || isKey ? null : endValue(frame, text, end);
    if (contradiction !== null) return contradiction;
  }
  return null;
}

function emptyFrame(): Frame {
  return { values: new Map(), pending: null };
}

/** The value of the key under way is complete. @returns that key when it had another value before */
function endValue(frame: Frame, text: string, end: number): Frame['pending'] {
  const { pending, values } = frame;
  if (pending === null) return null;
  frame.pending = null;
  const value = text.slice(pending.from, end);
  const before = values.get(pending.key) ?? value;
  values.set(pending.key, value);
  return before === value ? null : pending;
}

interface Token {
  readonly at: number;
  readonly end: number;
  /** How many objects and arrays are open after it. */
  readonly depth: number;
  readonly isKey: boolean;
}

/** The tokens up to the first fault or the end, which is returned. */
function* tokensOf(text: string): Generator<Token, Place> {
  const open: ('{' | '[')[] = [];
  let place: Place = { at: skip(whitespace, text, 0), expecting: 'value' };
  while (place.at < text.length) {
    const step = consume(text, place, open);
    if (step === null) break;
    yield { at: place.at, end: step.at, depth: open.length, isKey: step.expecting === ': after the key' };
    place = { at: skip(whitespace, text, step.at), expecting: step.expecting };
  }
  return place;
}

/** One token further; null when it is not what is expected. */
function consume(text: string, { at, expecting }: Place, open: ('{' | '[')[]): Place | null {
  const char = text[at]!;
  if (expecting === 'the end of the text') return null;
  if (expecting === ': after the key') return char === ':' ? { at: at + 1, expecting: 'value' } : null;
  if (expecting === ', or the end') return afterValue(char, at, open);
  if (char === '}' && expecting === 'key or }') return close(at, open);
  if (char === ']' && expecting === 'value or ]') return close(at, open);
  if (expecting.startsWith('key')) return past(skip(string, text, at), at, ': after the key');
  if (char === '{' || char === '[') {
    open.push(char);
    return { at: at + 1, expecting: char === '{' ? 'key or }' : 'value or ]' };
  }
  return past(Math.max(skip(string, text, at), skip(scalar, text, at)), at, afterwards(open));
}

function afterValue(char: string, at: number, open: ('{' | '[')[]): Place | null {
  const inside = open.at(-1);
  if (char === ',') return { at: at + 1, expecting: inside === '{' ? 'key' : 'value' };
  return char === (inside === '{' ? '}' : ']') ? close(at, open) : null;
}

function close(at: number, open: ('{' | '[')[]): Place {
  open.pop();
  return { at: at + 1, expecting: afterwards(open) };
}

function afterwards(open: readonly string[]): Expecting {
  return open.length === 0 ? 'the end of the text' : ', or the end';
}

function past(end: number, at: number, expecting: Expecting): Place | null {
  return end === at ? null : { at: end, expecting };
}

/** The position after what `pattern` matches at `at`; `at` itself when it does not. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
