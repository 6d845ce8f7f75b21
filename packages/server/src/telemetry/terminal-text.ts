/** Text from elsewhere made fit for a terminal: one line, and nothing in it that the terminal would obey. */

/** Control and format characters, broken surrogates, line and paragraph separators. */
const obeyed = /[\p{C}\p{Zl}\p{Zp}]/gu;

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with each of these characters as `\n` or `\u001b`, as JSON writes them. */
export function terminalText(text: string): string {
  return text.replace(obeyed, (character) => named[character] ?? character.split('').map(escapeUnit).join(''));
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** As `terminalText`, for text that may have several lines. */
export function terminalLines(text: string): string {
  return text.split('\n').map(terminalText).join('\n');
}

/** A value of plain data with every text in it, at any depth, made so. */
export function forTerminal<T>(value: T): T {
  return makeSafe(value) as T;
}

function makeSafe(value: unknown): unknown {
  if (typeof value === 'string') return terminalText(value);
  if (Array.isArray(value)) return value.map(makeSafe);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [terminalText(key), makeSafe(inner)]));
}
