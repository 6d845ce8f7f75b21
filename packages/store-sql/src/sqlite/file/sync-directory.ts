import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes new entries of a directory survive a power failure. Where directories cannot be opened, there is no need to. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  fsyncSync(directory);
  closeSync(directory);
}
