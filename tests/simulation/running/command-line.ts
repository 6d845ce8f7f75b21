/** The command line of the simulator. */
import { parseArgs } from 'node:util';

export type Asked =
  | { readonly kind: 'help' }
  /** Show what happens under one seed. */
  | { readonly kind: 'trace'; readonly seed: number }
  /** Run many seeds, `first` and those after it. */
  | { readonly kind: 'seeds'; readonly first: number; readonly count: number };

/** A command line that cannot be understood; the message names the option and what it takes. */
export class UsageError extends Error {}

/** What `--help` prints. */
export const help = `Runs the production coordinator in a simulated world: clock, timers, chance, database, network, participants and
processes all come from one seed. Stops at the first broken invariant and prints the seed and its trace.

Usage: npm run sim -- [--seeds N] [--seed S]

Options
  --seeds N    how many seeds to run; default 1000
  --seed S     the first of them, default 1. Without --seeds: run this seed alone and print its trace
  --help       show this text

Examples
  npm run sim -- --seeds 10000                  seeds 1 to 10000, then what they have reached
  npm run sim -- --seeds 10000 --seed 50001     seeds 50001 to 60000
  npm run sim -- --seed 4711                    everything that happens under seed 4711; the same every time

The exit code is 0 when no invariant was broken, 1 when one was, 2 for wrong usage.
`;

/** Reads the arguments. @throws UsageError */
export function readArguments(args: readonly string[]): Asked {
  const { seeds, seed, help: wantsHelp } = parse(args);
  if (wantsHelp === true) return { kind: 'help' };
  const first = seed === undefined ? 1 : wholeNumber('--seed', seed, 0);
  if (seed !== undefined && seeds === undefined) return { kind: 'trace', seed: first };
  return { kind: 'seeds', first, count: seeds === undefined ? 1_000 : wholeNumber('--seeds', seeds, 1) };
}

function parse(args: readonly string[]) {
  try {
    const options = { seeds: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; see --help`);
  }
}

function wholeNumber(option: string, text: string, min: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || !Number.isSafeInteger(value))
    throw new UsageError(`${option} "${text}": give a whole number from ${min}, such as ${option} 1000; see --help`);
  return value;
}
