/** The command as a user runs it: processes of `bin/amends.js` in a folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A run that is over. */
export interface Finished {
  /** Exit code; null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A coordinator that listens. */
export interface Serving {
  readonly url: string;
  /** Resolves when it has said so on standard error. */
  said(words: RegExp): Promise<void>;
  /** Asks it to stop and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** How the process is started. */
export interface Start {
  /** Arguments of `node`. Default: none. */
  readonly nodeArgs?: readonly string[];
  /** The file that it runs. Default: `bin/amends.js`. */
  readonly program?: string;
}

/** The file that `npx amends` runs. */
export const program = join(import.meta.dirname, '..', '..', 'bin', 'amends.js');

/** Runs the command to its end. */
export function amends(...args: readonly string[]): Promise<Finished> {
  return amendsBy({}, ...args);
}

/** Runs the command, started so, to its end. */
export function amendsBy(start: Start, ...args: readonly string[]): Promise<Finished> {
  return waitForEnd(spawnCommand(start, args));
}

/** Runs `amends serve` on a free port until it listens; it is stopped when the test is over. @throws Error with its last words */
export function serving(...args: readonly string[]): Promise<Serving> {
  return servingBy({}, ...args);
}

/** As `serving`, started so. */
export async function servingBy(start: Start, ...args: readonly string[]): Promise<Serving> {
  const child = spawnCommand(start, ['serve', '--port', '0', '--grpc-port', '0', '--log-format', 'json', ...args]);
  const over = waitForEnd(child);
  const url = await Promise.race([waitForAddress(child), over.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const stop: Serving['stop'] = (signal = 'SIGTERM') => {
    child.kill(signal);
    return over;
  };
  return { url, stop, said: (words) => saidBy(child, words) };
}

function saidBy(child: ChildProcess, words: RegExp): Promise<void> {
  return new Promise((resolve) => {
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk;
      if (words.test(said)) resolve();
    });
  });
}

/** A folder that is gone with the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'amends-command-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function spawnCommand({ nodeArgs = [], program: file = program }: Start, args: readonly string[]): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', AMENDS_ACTOR: 'tester' };
  const child = spawn(process.execPath, [...nodeArgs, file, ...args], {
    cwd: scratchFolder(),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const over = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await over;
  });
  return child;
}

async function waitForEnd(child: ChildProcess): Promise<Finished> {
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout!), text(child.stderr!)]);
  return { code: code as number | null, stdout, stderr };
}

/** The address from the line that says so. */
function waitForAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk;
      const url = /"url":"([^"]+)".*"msg":"listening"/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}
