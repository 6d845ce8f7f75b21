/** The program of another language that runs a suite, in a process group of its own, read line by line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { SuiteRequest } from './case-result.ts';

/** What to run. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
}

/**
 * Runs a program to its end. It is told where everything is by `AMENDS_URL`, `AMENDS_GRPC`, and `AMENDS_MARIADB`,
 * `AMENDS_POSTGRES`, `AMENDS_REDIS`, which are empty where there is none.
 * @param accept takes each line of its output and of its errors
 * @returns its exit code; null when a signal ended it
 */
export async function runProgram(
  { command, args, folder }: Program,
  { signal, ...request }: Pick<SuiteRequest, 'url' | 'grpcAddress' | 'services' | 'signal'>,
  accept: (line: string) => void,
): Promise<number | null> {
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...environmentOf(request) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // What such a program starts, as `go test` its test program, does not end with it.
    detached: process.platform !== 'win32',
  });
  const end = () => killGroup(child);
  signal?.addEventListener('abort', end, { once: true });
  const [exitCode] = await Promise.all([waitForExit(child), readLines(child.stdout, accept), readLines(child.stderr, accept)]);
  signal?.removeEventListener('abort', end);
  return exitCode;
}

function environmentOf({ url, grpcAddress, services }: Pick<SuiteRequest, 'url' | 'grpcAddress' | 'services'>) {
  const { mariadb = '', postgres = '', redis = '' } = services;
  return {
    AMENDS_URL: url,
    AMENDS_GRPC: grpcAddress,
    AMENDS_MARIADB: mariadb,
    AMENDS_POSTGRES: postgres,
    AMENDS_REDIS: redis,
  };
}

function waitForExit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}

async function readLines(stream: Readable, accept: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) accept(line);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (process.platform === 'win32') child.kill();
  else process.kill(-child.pid, 'SIGTERM');
}
