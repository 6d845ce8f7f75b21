/** Counting how often a process asks the disk to hold, from outside, by strace. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const strace = 'strace';

/** What happened while it was watched. */
export interface SyncCount<T> {
  /** Calls of fsync and fdatasync, all threads; null: they could not be counted. */
  readonly syncs: number | null;
  /** Why they could not; empty otherwise. */
  readonly trouble: string;
  /** Of the work meanwhile. */
  readonly result: T;
}

/**
 * Watches a process while `work` runs; without strace, or where it may not look, `work` runs all the same. The process is
 * slower meanwhile.
 */
export async function countSyncs<T>(pid: number, work: () => Promise<T>): Promise<SyncCount<T>> {
  const child = spawn(strace, ['-f', '-c', '-e', 'trace=fsync,fdatasync', '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let told = '';
  child.stderr.on('data', (piece: Buffer) => {
    told += piece.toString();
  });
  const ended = waitForEnd(child);
  await Promise.race([once(child.stderr, 'data'), ended]);
  try {
    const result = await work();
    child.kill('SIGINT');
    const trouble = await ended;
    return told.includes('attached')
      ? { syncs: total(told), trouble: '', result }
      : { syncs: null, trouble: `${trouble}${told}`.trim(), result };
  } finally {
    child.kill('SIGINT');
    await ended;
  }
}

/** @returns why it could not be started; empty when it could */
function waitForEnd(child: ChildProcess): Promise<string> {
  return once(child, 'close').then(
    () => '',
    (error: Error) => `strace cannot be started (${error.message}); on Debian: apt-get install strace`,
  );
}

/** Sums the column `calls` of the table that strace prints; it has one row for each system call that occurred. */
function total(told: string): number {
  const rows = told.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*\b(?:fsync|fdatasync)$/gm);
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
