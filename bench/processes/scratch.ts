/**
 * The folder of one run: on the disk of the checkout, because a temporary folder may lie in memory, where syncing costs nothing.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The checkout. */
export const root = join(import.meta.dirname, '..', '..');

/** A folder for databases and logs. */
export interface Scratch {
  readonly folder: string;
  /** Removes the folder. Idempotent. */
  remove(): void;
}

/** Makes the folder. */
export function openScratch(): Scratch {
  mkdirSync(join(root, 'data'), { recursive: true });
  const folder = mkdtempSync(join(root, 'data', 'bench-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
