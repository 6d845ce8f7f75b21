/** The command line. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchOptions } from './run/bench.ts';
import { scenarios } from './scenarios/all.ts';
import { commandOf } from './servers/amends-server.ts';

/** A command line that cannot be understood. */
export class UsageError extends Error {}

const spec = {
  scenario: { type: 'string', default: 'marks' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '5' },
  connections: { type: 'string', default: '64' },
  gids: { type: 'string', default: 'time' },
  count: { type: 'string' },
  'fsync-ms': { type: 'string', default: '0' },
  strace: { type: 'boolean', default: false },
  baseline: { type: 'string' },
  target: { type: 'string' },
  pid: { type: 'string' },
  json: { type: 'boolean', default: false },
  out: { type: 'string' },
  'no-out': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/**
 * Reads a command line.
 * @returns null when help is asked for
 * @throws UsageError naming the option, its value and what was expected
 */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const names = scenarios.map(({ name }) => name);
  if (!names.includes(values.scenario)) refuse('scenario', values.scenario, `one of ${names.join(', ')}`);
  if (values.gids !== 'time' && values.gids !== 'none') refuse('gids', values.gids, 'time or none');
  if (values.target !== undefined && !/^http:\/\/[^/]/.test(values.target))
    refuse('target', values.target, 'the root of a server, such as http://127.0.0.1:36789');
  for (const name of ['target', 'strace', 'fsync-ms'] as const)
    if (values.scenario !== 'speed' && values[name] && values[name] !== '0')
      throw new UsageError(`--${name} goes with --scenario speed only`);
  const baseline = values.baseline === undefined ? null : parseBaseline(values.baseline, values);
  return {
    scenario: values.scenario,
    rounds: whole('rounds', values.rounds, 1),
    seconds: positive('seconds', values.seconds),
    connections: whole('connections', values.connections, 1),
    gidOrder: values.gids,
    count: values.count === undefined ? null : whole('count', values.count, 1),
    fsyncDelayMs: whole('fsync-ms', values['fsync-ms'], 0),
    strace: values.strace,
    baseline,
    target: values.target?.replace(/\/+$/, '') ?? null,
    targetPid: values.pid === undefined ? null : whole('pid', values.pid, 1),
    json: values.json,
    out: values['no-out'] ? null : (values.out ?? defaultOut(values.scenario)),
  };
}

/** @returns the absolute path of a checkout that can be measured beside this one */
function parseBaseline(text: string, values: ReturnType<typeof parse>): string {
  const able = scenarios.filter(({ takesBaseline }) => takesBaseline).map(({ name }) => name);
  if (!able.includes(values.scenario)) throw new UsageError(`--baseline goes with --scenario ${able.join(', ')} only`);
  if (values.target !== undefined || values['fsync-ms'] !== spec['fsync-ms'].default)
    throw new UsageError('--baseline goes with neither --target nor --fsync-ms');
  const folder = resolve(text);
  if (!existsSync(commandOf(folder))) refuse('baseline', text, 'the root of a checkout of Amends');
  if (!existsSync(join(folder, 'packages', 'cli', 'dist', 'main.js')))
    refuse('baseline', text, `a checkout that is built; run npm run build in ${folder}`);
  return folder;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: spec }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(name: string, text: string, min: number): number {
  return /^\d{1,9}$/.test(text) && Number(text) >= min ? Number(text) : refuse(name, text, `a whole number from ${min}`);
}

function positive(name: string, text: string): number {
  return Number(text) > 0 && Number(text) <= 3_600 ? Number(text) : refuse(name, text, 'a number of seconds, at most 3600');
}

function refuse(name: string, text: string, expected: string): never {
  throw new UsageError(`--${name} ${JSON.stringify(text)}: expected ${expected}`);
}

function defaultOut(scenario: string): string {
  const moment = new Date().toISOString().slice(0, 19).replaceAll(':', '');
  return join(import.meta.dirname, 'results', `${moment}-${scenario}.json`);
}

/** What `--help` shows. */
export function help(): string {
  return `Measures Amends, next to the floor that HTTP itself sets.

Usage: npm run bench -- [options]

Scenarios (--scenario NAME, default marks)
${scenarios.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`).join('\n')}

Options
  --rounds N        measurements of each subject, taken in turns; the medians count (default 5)
  --seconds S       length of one measurement (default 5)
  --connections N   connections of the load generator, each with one saga under way (default 64)
  --gids ORDER      time: made by Amends' rule, ordered by time (default); none: without order, as UUIDs
  --count N         transactions prepared by backlog (default 100,000) and growth (default 1,000,000)
  --fsync-ms MS     every commit takes so much longer, as on a slow disk (default 0)
  --strace          speed: also count the calls of fsync and compare them with the commits; needs strace
  --baseline DIR    marks, speed, ten-branches, modes: also measure the server of another checkout, which is built, in the
                    same rounds, and say how many times as much this one takes; both run on this checkout's Node
  --target URL      speed: measure the DTM-compatible server that runs there instead of Amends; it must be able to call 127.0.0.1
  --pid PID         its process: also measure its CPU, memory and writes
  --json            print the result as JSON
  --out FILE        write the result there (default bench/results/<time>-<scenario>.json); --no-out: nowhere
  --help            show this text

Examples
  npm run bench
  npm run bench -- --scenario speed --rounds 1 --seconds 2
  git worktree add ../before HEAD~1 && (cd ../before && npm run build)
  npm run bench -- --scenario speed --baseline ../before
  npm run bench -- --scenario backlog --count 20000
  npm run bench -- --scenario speed --fsync-ms 5
  npm run bench -- --scenario speed --target http://127.0.0.1:36789 --pid 4711

Exit code: 0 measured, whether the marks are met or not; 1 could not measure; 2 wrong usage; 130 interrupted.
`;
}
