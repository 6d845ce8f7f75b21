/** Where a text stops being JSON, or repeats itself: for error messages only, so it runs on texts that have already been refused. */

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

/** The first key that an object has already, in a text that is JSON and has one. */
export function repeatedKey(text: string): { readonly key: string; readonly at: number } {
  const keys: Set<string>[] = [];
  for (const { at, end, depth, isKey } of tokensOf(text)) {
    if (text[at] === '{') keys[depth] = new Set();
    if (!isKey) continue;
    const key = JSON.parse(text.slice(at, end)) as string;
    if (keys[depth]!.has(key)) return { key, at };
    keys[depth]!.add(key);
  }
  throw new Error('no key is repeated');
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
  if (char === '}' && expecting === 'key or }') return closed(at, open);
  if (char === ']' && expecting === 'value or ]') return closed(at, open);
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
  return char === (inside === '{' ? '}' : ']') ? closed(at, open) : null;
}

function closed(at: number, open: ('{' | '[')[]): Place {
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
