/** Codes of invariants, such as SAGA-3: each is defined in one place, and each is cited by a test. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './finding.ts';

const rule = 'invariants';

/** A text in which codes may stand. */
export interface Page {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Reads programs, documents and transcripts, but not the house rules, whose tests make codes up. */
export function readPages(root: string): readonly Page[] {
  const kinds = ['*.ts', '*.mjs', '*.md', 'packages/core/transcripts/*.txt', ':!tools/house'];
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--deduplicate', '--', ...kinds], { cwd: root });
  const deleted = new Set(execFileSync('git', ['ls-files', '-d'], { cwd: root }).toString().split('\n'));
  const paths = listed
    .toString()
    .split('\n')
    .filter((path) => path !== '' && !deleted.has(path));
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** A line of a comment that begins with a code and a colon, or a row of a table that begins with a code. */
const definition = /^\s*(?:\*\s+([A-Z]+-\d+):|\|\s+([A-Z]+-\d+)\s+\|)/gm;
const citation = /\b[A-Z]+-\d+\b/g;

/** Finds codes that are cited and nowhere defined, defined twice, or cited by no test. */
export function checkCodes(pages: readonly Page[]): readonly Finding[] {
  const defined = spotsOf(pages, (text) =>
    [...text.matchAll(definition)].map((match) => ({ code: match[1] ?? match[2]!, at: match.index })),
  );
  const cited = spotsOf(pages, (text) => [...text.matchAll(citation)].map((match) => ({ code: match[0], at: match.index })));
  const rooms = new Set([...defined.keys()].map(roomOf));
  const tested = new Set([...cited].flatMap(([code, places]) => (places.some(({ path }) => isTest(path)) ? [code] : [])));
  return [
    ...[...defined].flatMap(([code, [first, ...others]]) => [
      ...others.map((place) =>
        finding(place, `${code} is defined in ${first!.path}:${first!.line} too: take the next free number`),
      ),
      ...(tested.has(code) ? [] : [finding(first!, `${code} is cited by no test: write one that shows it, and cite it there`)]),
    ]),
    ...[...cited]
      .filter(([code]) => rooms.has(roomOf(code)) && !defined.has(code))
      .flatMap(([code, places]) =>
        places.map((place) => finding(place, `${code} is defined nowhere: cite what is, or define it`)),
      ),
  ];
}

interface Spot {
  readonly path: string;
  readonly line: number;
}

function spotsOf(
  pages: readonly Page[],
  find: (text: string) => readonly { readonly code: string; readonly at: number }[],
): ReadonlyMap<string, readonly Spot[]> {
  const places = new Map<string, Spot[]>();
  for (const { path, text } of pages)
    for (const { code, at } of find(text)) {
      const place = { path, line: text.slice(0, at + 1).split('\n').length };
      places.set(code, [...(places.get(code) ?? []), place]);
    }
  return places;
}

function roomOf(code: string): string {
  return code.slice(0, code.indexOf('-'));
}

/** The simulation is a test as a whole. */
function isTest(path: string): boolean {
  return /\.test\.ts$|^packages\/core\/transcripts\/|^tests\/.*\.ts$/.test(path);
}

function finding({ path, line }: Spot, words: string): Finding {
  return { rule, where: path, line, words };
}
