/**
 * Preloaded into every process of a system (`node --import leash.ts …`): ends it when whoever started it is gone.
 * Standard input is a pipe from the starter; the operating system closes it however the starter ended, SIGKILL included.
 */
import { isMainThread } from 'node:worker_threads';

const graceMs = 5_000;

function end(): void {
  setTimeout(() => process.exit(1), graceMs).unref();
  process.kill(process.pid, 'SIGTERM');
}

if (isMainThread) {
  process.stdin.on('end', end).on('error', end).resume();
  // A program that has nothing left to do may still end by itself.
  (process.stdin as { unref?: () => void }).unref?.();
}
