/** Each mutant changes one line of the built product; who rewrites such a line hears of it here, at once. */
import { expect, test } from 'vitest';
import { occurrences } from './mutant.ts';
import { mutants } from './mutants.ts';

const all = Object.entries(mutants).flatMap(([where, faults]) =>
  Object.entries(faults).map(([name, mutation]) => [`${where}: ${name}`, mutation] as const),
);

test.each(all)('%s: its line is there, once', (_, mutation) => {
  expect(occurrences(mutation)).toBe(1);
});
