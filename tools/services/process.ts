/** Programs as children: run to their end, or watched until they are ready. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const nobody = 65_534;
const asNobody = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
const exec = promisify(execFile);

/** Messages in English, no home of root. */
const environment = { ...process.env, LC_ALL: 'C', HOME: tmpdir() };

/** A fresh folder that the databases may write to: root's are run as `nobody`. */
export function makeFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `amends-${name}-`));
  if (asNobody.uid !== undefined) chownSync(path, asNobody.uid, asNobody.gid);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs a program to its end without root's rights. @returns its output @throws Error with what it said */
export async function runUnprivileged(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await exec(program, args, { ...asNobody, cwd, env: environment, maxBuffer: 1 << 24 });
  return stdout;
}

/** Runs a program to its end. @returns its output @throws Error with what it said */
export async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await exec(program, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 24 });
  return stdout;
}

/** What to start and how to know that it is up. */
export interface Daemon {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** A line of its output that says so. */
  readonly ready: RegExp;
  /** The signal that ends it fast, its children too. */
  readonly endBy: NodeJS.Signals;
}

/** Starts a daemon without root's rights and waits until it is ready. @returns what ends it @throws Error with its last words */
export async function startDaemon({ program, args, cwd, ready, endBy }: Daemon): Promise<() => Promise<void>> {
  // In a group of its own: Ctrl-C in a terminal must reach who removes it, not the daemon itself.
  const child = spawn(program, args, { ...asNobody, cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await untilReady(child, ready);
  return async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill(endBy);
    await ended;
  };
}

const linesKept = 20;

function untilReady(child: ChildProcess, ready: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const listen = (line: string) => {
      if (ready.test(line)) resolve();
      said.push(line);
      if (said.length > linesKept) said.shift();
    };
    // Both are read to the end, or the daemon would block on a full pipe.
    for (const output of [child.stdout!, child.stderr!]) createInterface(output).on('line', listen);
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${child.spawnfile} ended before it was ready:\n${said.join('\n')}`)));
  });
}

/** A port of the loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
