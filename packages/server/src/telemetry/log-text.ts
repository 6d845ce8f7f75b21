/** Log lines for people: from one JSON object per line to `12:00:00.000 INFO  transaction succeed  gid=g1 …`. */
import { terminalLines, terminalText } from './terminal-text.ts';

/** The line for people, with its line break. @param line one JSON object of the log */
export function textLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  const message = [String(msg), ...(pairs.length > 0 ? [pairs.join(' ')] : [])].join('  ');
  return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${message}\n`;
}

/** Spaces would blur where a value ends. */
const quotedFor = /[\s"=\p{C}]/u;

function plain(value: unknown): string {
  if (typeof value === 'string') return quotedFor.test(value) ? terminalText(JSON.stringify(value)) : value;
  if (typeof value === 'object' && value !== null && 'stack' in value) return terminalLines(String(value.stack));
  return terminalText(JSON.stringify(value));
}
