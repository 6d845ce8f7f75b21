/** A copy of a database as of one moment, made while it is used. */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { AmendsError } from '@amends/core';
import Database from 'better-sqlite3';
import { syncDirectory } from '../file/sync-directory.ts';
import { readSeen } from '../log/log-damage.ts';

/** So many pages are copied before whatever waits has its turn. */
const pagesAtOnce = 64;

/**
 * Copies the database into a new file, which appears under its name when it is whole and on the disk.
 * @param isOpen whether the database still is, which ends the copying otherwise
 * @throws AmendsError `store_refused` when there is such a file, `store_unavailable` when the database was closed meanwhile
 */
export async function backUp(db: Database.Database, file: string, isOpen: () => boolean = () => true): Promise<void> {
  if (existsSync(file)) throw new AmendsError('store_refused', `${file} is there already; give another name, or remove it`);
  const part = `${file}-${randomUUID()}.part`;
  try {
    closeSync(openSync(part, 'wx', 0o600));
    await db.backup(part, {
      progress: () => pagesAtOnce,
    });
    becomeAnother(part);
    giveName(part, file);
    syncDirectory(dirname(file));
  } catch (error) {
    rmSync(part, { force: true });
    if (fileExists(error)) throw new AmendsError('store_refused', `${file} has come meanwhile; give another name, or remove it`);
    throw isOpen() ? error : new AmendsError('store_unavailable', 'the store was closed during the backup');
  }
}

/** A link, unlike a renaming, never takes the place of a file that has come meanwhile; not every file system has links. */
function giveName(part: string, file: string): void {
  try {
    linkSync(part, file);
    rmSync(part);
  } catch (error) {
    if (fileExists(error)) throw error;
    renameSync(part, file);
  }
}

function fileExists(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** The copy is another database than the one that goes on: what that answers for later is nothing the copy could lack. */
function becomeAnother(file: string): void {
  const copy = new Database(file);
  try {
    copy.pragma('journal_mode = DELETE');
    copy.pragma('synchronous = EXTRA');
    if (readSeen(copy) !== null) copy.exec('UPDATE clock SET store = lower(hex(randomblob(16)))');
  } finally {
    copy.close();
  }
  const written = openSync(file, 'r+');
  fsyncSync(written);
  closeSync(written);
}
