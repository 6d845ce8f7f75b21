/** What is printed, and how: colours only on a terminal, tables in columns. */
import { styleText } from 'node:util';

/** Prints a line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Colours where standard output is a terminal; NO_COLOR and FORCE_COLOR are obeyed. */
export function paint(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
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
