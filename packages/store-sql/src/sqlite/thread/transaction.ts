/** Database transactions on a SQLite file, and what is known of one whose end failed. */

import type { Statement } from 'better-sqlite3';
import type { SqliteDatabase } from '../file/sqlite-database.ts';
import { sqliteCode } from '../file/sqlite-errors.ts';
import type { CommitWitness } from '../log/commit-witness.ts';

/**
 * Runs `body` in a database transaction; when that throws, nothing of it stays.
 * @param whenInDoubt gives the result when COMMIT failed so that the transaction may come back after a crash; by default
 *   the error is thrown all the same
 */
export type Transact = <T>(body: () => T, whenInDoubt?: (error: unknown) => T) => T;

/** Prepares transactions on one database. */
export function prepareTransactions(db: SqliteDatabase): Transact {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const end = db.prepare('COMMIT');
  return <T>(body: () => T, whenInDoubt: (error: unknown) => T = rethrow) => {
    begin.run();
    try {
      const result = body();
      return commit(db, end, result, whenInDoubt);
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
}

/** Transactions that are counted, in the database and by its witness. */
export function countTransactions(db: SqliteDatabase, witness: CommitWitness): Transact {
  const transact = prepareTransactions(db);
  const count = db.prepare('UPDATE clock SET commits = commits + 1');
  return <T>(body: () => T, whenInDoubt: (error: unknown) => T = rethrow) => {
    let isInDoubt = false;
    const result = transact(
      () => {
        const value = body();
        count.run();
        return value;
      },
      (error) => {
        isInDoubt = true;
        return whenInDoubt(error);
      },
    );
    if (!isInDoubt) witness.count();
    return result;
  };
}

function commit<T>(db: SqliteDatabase, end: Statement, result: T, whenInDoubt: (error: unknown) => T): T {
  try {
    end.run();
    return result;
  } catch (error) {
    if (isUndone(db, error)) throw error;
    return whenInDoubt(error);
  }
}

/**
 * Whether nothing of a transaction whose COMMIT failed can come back. While it is still open, SQLite refused before it
 * wrote. A full disk cut the WAL short before its commit frame was whole, and the checksum of that frame tells; a flush
 * that finds the disk full is an IOERR. After any other error the frame may be on the disk, though this connection has
 * forgotten it, and recovery would take it for committed.
 */
function isUndone(db: SqliteDatabase, error: unknown): boolean {
  return db.inTransaction || sqliteCode(error) === 'SQLITE_FULL';
}

function rethrow(error: unknown): never {
  throw error;
}
