/** Where a text stops being JSON: for error messages only, so it runs on texts that have already been refused. */

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
  const open: ('{' | '[')[] = [];
  let expecting: Expecting = 'value';
  let at = skip(whitespace, text, 0);
  while (at < text.length) {
    const step = consume(text, { at, expecting }, open);
    if (step === null) break;
    at = skip(whitespace, text, step.at);
    expecting = step.expecting;
  }
  return { at, expecting };
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
