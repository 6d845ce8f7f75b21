/**
 * The space of rows that were deleted: SQLite fills it again, and gives the rest back to the file system when it is told
 * to, a few pages at a time. A file must have been made for that; one of an older version is rewritten once, when it is
 * opened and small, or by `amends store compact`.
 */
import type { SqliteDatabase } from '../file/sqlite-database.ts';
import { sqliteFault } from '../file/sqlite-errors.ts';

/** Free pages that are kept for new rows, beside a tenth of the file. */
const keptPages = 256;

/** So many pages are given back at once: some milliseconds. */
const pagesAtOnce = 128;

/** A file of at most so many pages of 4 KiB is rewritten when it is opened: less than a second. */
const smallPages = 16_384;

const incremental = 2;

/** Makes a file able to shrink. @returns whether it is */
export function letShrink(db: SqliteDatabase): boolean {
  if (numberOf(db, 'auto_vacuum') === incremental) return true;
  if (numberOf(db, 'page_count') > smallPages) return false;
  try {
    rewrite(db);
  } catch (error) {
    // There is no room for that now. The file works as it is.
    if (sqliteFault(error) !== 'unavailable') throw error;
    return false;
  }
  return true;
}

/** Writes the whole file anew, as small as it can be; needs room for two more of it meanwhile. */
export function rewrite(db: SqliteDatabase): void {
  db.pragma(`auto_vacuum = ${incremental}`);
  db.exec('VACUUM');
}

/** Gives some free pages back, if there are more than new rows will want soon. @returns whether there are more */
export function giveBack(db: SqliteDatabase): boolean {
  if (numberOf(db, 'auto_vacuum') !== incremental) return false;
  const kept = Math.max(keptPages, numberOf(db, 'page_count') / 10);
  const given = Math.min(pagesAtOnce, Math.floor(numberOf(db, 'freelist_count') - kept));
  if (given <= 0) return false;
  db.exec(`PRAGMA incremental_vacuum(${given})`);
  if (given === pagesAtOnce) return true;
  // The file itself is cut when the log is carried over to it.
  db.pragma('wal_checkpoint(PASSIVE)');
  return false;
}

/** Free bytes within the file. */
export function freeBytes(db: SqliteDatabase): number {
  return numberOf(db, 'freelist_count') * numberOf(db, 'page_size');
}

function numberOf(db: SqliteDatabase, pragma: string): number {
  return db.pragma(pragma, { simple: true }) as number;
}
