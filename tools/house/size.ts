/** How much stands in one folder and on one line. Lint counts the lines of functions and files. */
import { posix } from 'node:path';
import type { Finding } from './finding.ts';
import type { Mark, Source } from './source.ts';

const filesMax = 15;

/** Counts the sources that stand in each folder itself, without tests. */
export function checkFolders(sources: readonly Source[]): readonly Finding[] {
  const counts = new Map<string, number>();
  for (const { path, isTest } of sources) {
    const folder = posix.dirname(path);
    if (!isTest) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > filesMax)
    .map(([where, count]) => ({
      rule: 'folder-size',
      where,
      words: `${count} sources in one folder, at most ${filesMax}: give it rooms, folders that each have one topic`,
    }));
}

/** Finds comments that are wider than the formatter lets code be, and code that it could not break and a human can. */
export function checkWidths(sources: readonly Source[], width: number): readonly Finding[] {
  return sources.flatMap((source) => {
    const inComments = new Set(source.remarks.flatMap(({ line, lineTo }) => range(line, lineTo)));
    return wideLines(source, width)
      .filter(({ line, text }) => inComments.has(line) && /^\s*(\/[*/]|\*)/.test(text))
      .map(({ text, line }) => ({
        rule: 'comment-width',
        where: source.path,
        line,
        words: `a comment of ${text.length} characters, at most ${width}: wrap it`,
      }));
  });
}

function wideLines({ lines }: Source, width: number): readonly Mark[] {
  return lines.flatMap((text, index) => (text.length > width ? [{ text, line: index + 1 }] : []));
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
