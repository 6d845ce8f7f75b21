import { expect, test } from 'vitest';
import { help, readArguments } from './command-line.ts';

test('a number of seeds, from 1 or from a given one', () => {
  expect(readArguments([])).toEqual({ kind: 'seeds', first: 1, count: 1_000 });
  expect(readArguments(['--seeds', '50'])).toEqual({ kind: 'seeds', first: 1, count: 50 });
  expect(readArguments(['--seeds=50', '--seed=7'])).toEqual({ kind: 'seeds', first: 7, count: 50 });
});

test('a seed alone is traced', () => {
  expect(readArguments(['--seed', '4711'])).toEqual({ kind: 'trace', seed: 4711 });
});

test('help shows examples', () => {
  expect(readArguments(['--help'])).toEqual({ kind: 'help' });
  expect(help).toContain('npm run sim -- --seed 4711');
});

test.each([
  [['--seeds', 'many'], '--seeds "many": give a whole number from 1'],
  [['--seeds', '0'], '--seeds "0": give a whole number from 1'],
  [['--seed', '-3'], '--seed'],
  [['--seed=1.5'], '--seed "1.5": give a whole number from 0'],
  [['--sed', '3'], "Unknown option '--sed'"],
  [['12'], "Unexpected argument '12'"],
])('%j is refused, and it is said why', (args, message) => {
  expect(() => readArguments(args)).toThrow(message);
  expect(() => readArguments(args)).toThrow('see --help');
});
