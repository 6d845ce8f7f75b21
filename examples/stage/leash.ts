/**
 * Preloaded into every process of a system (`node --import leash.ts …`): ends it when whoever started it is gone.
 * Standard input is a pipe from the starter; the operating system closes it however the starter ended, SIGKILL included.
 */
import { isMainThread } from 'node:worker_threads';

/** Ends as in a power cut, which every service survives; an orderly end would write to readers who are gone. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

if (isMainThread) {
  process.stdin.on('end', end).on('error', end).resume();
  // A program that has nothing left to do may still end by itself.
  (process.stdin as { unref?: () => void }).unref?.();
}
