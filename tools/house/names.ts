/** Names and what is said of them: no type has the name of another, no comment only repeats a name. */
import type { Finding } from './finding.ts';
import type { Mark, Source } from './source.ts';

/** Finds types that have the name of another type of the same package, exported or not. */
export function checkTypeNames(sources: readonly Source[]): readonly Finding[] {
  const places = new Map<string, (Mark & { readonly path: string })[]>();
  for (const { path, types } of sources)
    for (const type of types) {
      const where = `${packageOf(path)} ${type.text}`;
      places.set(where, [...(places.get(where) ?? []), { ...type, path }]);
    }
  return [...places]
    .filter(([, [first, ...others]]) => others.some(({ path }) => path !== first!.path))
    .map(([where, found]) => ({
      rule: 'type-names',
      where,
      words: `is declared ${found.length} times (${found.map(({ path, line }) => `${path}:${line}`).join(', ')}): share one or rename`,
    }));
}

/** `packages/core`, `tests/simulation`, `examples/stage`; `bench` and `tools` are one each. */
function packageOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return ['packages', 'tests', 'examples'].includes(first) ? `${first}/${second}` : first;
}

/** Words that say nothing of their own. */
const empty = stems(
  'a an and are as at be by can do does for from has have how if in into is it its of on one or so that the their them ' +
    'these they this those to used using was what when where which who whose with option value type kind',
);

/** Finds doc comments that hold no word beside those of the name, its file and what says nothing. */
export function checkDocComments(sources: readonly Source[]): readonly Finding[] {
  return sources.flatMap(({ path, remarks }) =>
    remarks.flatMap(({ text, subject, line }) => {
      if (subject === null || text === '') return [];
      const known = stems(`${subject} ${path.slice(path.lastIndexOf('/'))}`);
      const said = stems(text).filter((stem) => !empty.includes(stem) && !known.includes(stem));
      if (said.length > 0) return [];
      return [{ rule: 'empty-comment', where: path, line, words: `"${text}" repeats the name ${subject}: say more or nothing` }];
    }),
  );
}

/** The words of a text or a name without what English appends to them. */
function stems(text: string): readonly string[] {
  const words = text.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').match(/[A-Za-z\d]+/g) ?? [];
  return words.map((word) =>
    word
      .toLowerCase()
      .replace(/s$/, '')
      .replace(/(?:ing|ed|er|e)$/, ''),
  );
}
