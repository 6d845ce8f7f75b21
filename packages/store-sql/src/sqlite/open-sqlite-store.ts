/** Amends on a SQLite file: one process, one file, durable. */
import type { Store, StoreCapabilities } from '@amends/store';
import { createSqlStore } from '../sql-store.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { openSqliteSession, type SqliteStoreOptions } from './sqlite-session.ts';

/** A store on a SQLite file. */
export interface SqliteStore extends Store {
  /**
   * Copies everything as of one moment into a new file, while the store is used.
   * @throws AmendsError `store_refused` when there is such a file; `store_unavailable` when it cannot be written, or the store
   * is closed meanwhile
   */
  backUp(file: string): Promise<void>;
}

const capabilities: StoreCapabilities = {
  name: sqliteDialect.name,
  durable: true,
  shared: false,
  commitsInFlightMax: 1,
  changesPerCommitMax: 1_000,
};

/**
 * Opens a SQLite file and keeps it for this process alone until `close`. A commit is on disk when it is answered: the
 * file is in WAL mode with synchronous=FULL. All work on it is done in a thread of its own.
 * @throws AmendsError `store_refused`, naming path and remedy: not a database, damaged, of a newer version, in use by
 *   another process, not writable
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const session = await openSqliteSession(options);
  return Object.assign(createSqlStore(session, sqliteDialect, capabilities), {
    backUp: (file: string) => session.backUp(file),
  });
}
