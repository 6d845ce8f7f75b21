/** Counting how often a process asks the disk to hold, from outside, by strace. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const strace = 'strace';

/** What happened while it was watched. */
export interface SyncCount {
  /** Calls of fsync and fdatasync, all threads. */
  readonly syncs: number;
}

/** Why it cannot be done here; null when it can. */
export function straceMissing(): string | null {
  const { error } = spawnSync(strace, ['-V'], { stdio: 'ignore' });
  return error === undefined ? null : `strace cannot be started (${error.message}); on Debian: apt-get install strace`;
}

/**
 * Watches a process while `work` runs. The process is slower meanwhile.
 * @throws Error when strace is not permitted to
 */
export async function countSyncs(pid: number, work: () => Promise<void>): Promise<SyncCount> {
  const child = spawn(strace, ['-f', '-c', '-e', 'trace=fsync,fdatasync', '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let told = '';
  child.stderr.on('data', (piece: Buffer) => {
    told += piece.toString();
  });
  const ended = once(child, 'close');
  await Promise.race([attached(child.stderr), ended]);
  try {
    await work();
  } finally {
    child.kill('SIGINT');
    await ended;
  }
  return { syncs: total(told) };
}

async function attached(stderr: NodeJS.ReadableStream): Promise<void> {
  await once(stderr, 'data');
}

/** Sums the column `calls` of the table that strace prints; it has one row for each system call that occurred. */
function total(told: string): number {
  if (!told.includes('attached')) throw new Error(`strace: ${told.trim()}`);
  const rows = told.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*\b(?:fsync|fdatasync)$/gm);
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
