/** SQLite's errors, classified by code in one place. */
import { AmendsError } from '@amends/core';

/**
 * - `unavailable`: cannot be written or read now. - `refused`: a human must act.
 * - `value`: a value of one change does not fit, the database is well. - `bug`: anything else.
 */
export type SqliteFault = 'unavailable' | 'refused' | 'value' | 'bug';

const faultByCode: Readonly<Record<string, SqliteFault>> = {
  SQLITE_FULL: 'unavailable',
  SQLITE_IOERR: 'unavailable',
  SQLITE_BUSY: 'unavailable',
  SQLITE_LOCKED: 'unavailable',
  SQLITE_NOMEM: 'unavailable',
  SQLITE_READONLY: 'unavailable',
  SQLITE_CANTOPEN: 'unavailable',
  SQLITE_PROTOCOL: 'unavailable',
  SQLITE_CORRUPT: 'refused',
  SQLITE_NOTADB: 'refused',
  SQLITE_PERM: 'refused',
  SQLITE_AUTH: 'refused',
  SQLITE_FORMAT: 'refused',
  SQLITE_CONSTRAINT: 'value',
  SQLITE_TOOBIG: 'value',
  SQLITE_MISMATCH: 'value',
  SQLITE_RANGE: 'value',
};

/** What kind of trouble it is. Extended codes, such as `SQLITE_IOERR_WRITE`, count as their primary one. */
export function sqliteFault(error: unknown): SqliteFault {
  const code = sqliteCode(error);
  if (code !== null) return faultByCode[code.split('_', 2).join('_')] ?? 'bug';
  // The driver's refusal of a value before it reaches SQLite.
  return error instanceof TypeError || error instanceof RangeError ? 'value' : 'bug';
}

/** SQLite's own code; null when it is not an error of SQLite. */
export function sqliteCode(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : null;
}

/** The error that the store's user gets for trouble with an open database. */
export function operatingError(error: unknown, path: string): unknown {
  const cause = `${error instanceof Error ? error.message : String(error)} (${sqliteCode(error) ?? 'no code'})`;
  switch (sqliteFault(error)) {
    case 'unavailable':
      return new AmendsError('store_unavailable', `${path} cannot be used now: ${cause}; check disk space and permissions`, {
        cause: error,
      });
    case 'refused':
      return new AmendsError('store_refused', `${path} is damaged: ${cause}; ${repair}`, { cause: error });
    default:
      return error;
  }
}

/** What to do about a damaged file. */
export const repair =
  'stop the server, keep a copy of the file and of its -wal file, and restore a backup or try `sqlite3 FILE .recover`';
