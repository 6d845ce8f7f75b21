/** What is printed, and how: colours only on a terminal, tables in columns. */
import { stripVTControlCharacters, styleText } from 'node:util';

/** Prints a line; on a terminal as much of it as fits. */
export function print(line: string): void {
  process.stdout.write(`${fitLine(line)}\n`);
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Colours where standard output is a terminal; NO_COLOR and FORCE_COLOR are obeyed. */
export function paint(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** What moves no cursor: colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins a colour
const colours = /(\u001b\[[\d;]*m)/;
/** Characters that take two columns. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** A line as it fits a terminal: what is beyond its width is cut, colours end as they would; elsewhere all of it. */
export function fitLine(line: string): string {
  if (!process.stdout.isTTY || columnsOf(line) <= process.stdout.columns) return line;
  let left = process.stdout.columns - 1;
  let text = '';
  for (const part of line.split(colours)) {
    if (colours.test(part)) text += part;
    else
      for (const character of part) {
        if (left < 0) break;
        left -= wide.test(character) ? 2 : 1;
        text += left < 0 ? '…' : character;
      }
  }
  return text;
}

function columnsOf(line: string): number {
  return [...stripVTControlCharacters(line)].reduce((columns, character) => columns + (wide.test(character) ? 2 : 1), 0);
}

/** Longest text of a cell on a terminal that is an identity only. Characters. */
const identityCharactersMax = 48;

/** An identity that would push everything else off the line, cut on a terminal; programs get all of it. */
export function cut(text: string): string {
  if (!process.stdout.isTTY || text.length <= identityCharactersMax) return text;
  return `${text.slice(0, identityCharactersMax - 1)}…`;
}

/** Rows in columns; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row, index) => {
    const line = row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
    return index === 0 ? paint('bold', line.trimEnd()) : line.trimEnd();
  });
}
