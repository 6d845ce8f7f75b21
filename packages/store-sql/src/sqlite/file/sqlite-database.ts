/** Opens a SQLite file so that it is ours alone, durable and of the present schema, or says clearly why not. */
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AmendsError } from '@amends/core';
import Database from 'better-sqlite3';
import { type AppliedMigration, checksumOf, type Migration, pendingMigrations } from '../../migrate.ts';
import { acceptDamage, damageError, logDamage, refuseLostDatabase } from '../log/log-damage.ts';
import { probe } from '../log/probe.ts';
import { repair, sqliteCode, sqliteFault } from './sqlite-errors.ts';
import { syncDirectory } from './sync-directory.ts';

/** A SQLite file that is open. */
export type SqliteDatabase = Database.Database;

/** "Amen": marks our files among SQLite files. */
const applicationId = 0x416d656e;

/** How long another process may take to let go of the file, as during a restart. Milliseconds. */
export const lockWaitMs = 2_000;

/** Pages of 4 KiB between two checkpoints: long enough to write a hot page once instead of many times. */
const checkpointPages = 2_000;
const journalBytesMax = 16_777_216;
const pageCacheKiB = 4_096;

export interface OpenOptions {
  /** Opens a file also when its log has lost something, and says so here. Absent: refuses it. */
  readonly onDamageAccepted?: (words: string) => void;
}

/**
 * Opens the file, creates it if need be, and brings it to the newest schema.
 * @throws AmendsError `store_refused` naming the path and the remedy
 */
export function openDatabase(path: string, migrations: readonly Migration[], options: OpenOptions = {}): SqliteDatabase {
  return opening(path, () => {
    refuseLostDatabase(path);
    prepareFile(path);
    return openWith(
      path,
      (db) => {
        migrate(db, migrations, path);
        probe(db);
      },
      options,
    );
  });
}

/**
 * Opens a file that is there, of whatever schema, changing nothing.
 * @throws AmendsError `store_refused` naming the path and the remedy
 */
export function openForCare(path: string): SqliteDatabase {
  return opening(path, () => {
    refuseLostDatabase(path);
    if (!existsSync(path)) throw new AmendsError('store_refused', `${path} is not there`);
    prepareFile(path);
    return openWith(path, (db) => refuseForeign(db, path));
  });
}

/** Runs what opens a file. @throws AmendsError instead of errors of SQLite and of the file system */
export function opening<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw error instanceof AmendsError ? error : openingError(error, path);
  }
}

function openWith(path: string, prepare: (db: SqliteDatabase) => void, { onDamageAccepted }: OpenOptions = {}): SqliteDatabase {
  const damage = logDamage(path, lockWaitMs);
  if (damage !== null) {
    if (onDamageAccepted === undefined) throw damageError(path, damage);
    onDamageAccepted(acceptDamage(path, damage));
  }
  const db = new Database(path, { timeout: lockWaitMs });
  try {
    configure(db);
    prepare(db);
    // What lies behind the end of a damaged log must not be taken for damage again.
    if (damage !== null) db.pragma('wal_checkpoint(TRUNCATE)');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * What opening this path would make: the topmost folder that is not there, if any, and the file; empty when the file is there.
 */
export function missingPaths(path: string): readonly string[] {
  const file = resolve(path);
  if (existsSync(file)) return [];
  let missing = file;
  while (!existsSync(dirname(missing))) missing = dirname(missing);
  return missing === file ? [file] : [missing, file];
}

function prepareFile(path: string): void {
  if (path === '' || path.startsWith(':') || path.startsWith('file:'))
    throw new AmendsError('store_refused', `path: ${JSON.stringify(path)} does not name a file; give a path such as ./amends.db`);
  if (existsSync(path)) {
    if (statSync(path).isDirectory())
      throw new AmendsError('store_refused', `${path} is a directory; give the path of a file in it, such as ${path}/amends.db`);
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return;
  }
  const made = mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, 'a', 0o600));
  syncDirectory(dirname(path));
  if (made !== undefined) syncDirectory(dirname(made));
}

function configure(db: SqliteDatabase): void {
  // Before the first access, so that the WAL index lives in memory and nobody else gets in.
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma('temp_store = MEMORY');
  db.pragma(`cache_size = -${pageCacheKiB}`);
  // Only in a file that is new; see `space.ts` for those that are not.
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  // Where fsync alone does not reach the disk (macOS); no effect elsewhere.
  db.pragma('fullfsync = ON');
  db.pragma('checkpoint_fullfsync = ON');
  db.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  db.pragma(`journal_size_limit = ${journalBytesMax}`);
  db.pragma('trusted_schema = OFF');
}

function migrate(db: SqliteDatabase, migrations: readonly Migration[], path: string): void {
  if (refuseForeign(db, path) === 0) createMigrationTable(db);
  const applied = db.prepare('SELECT number, name, checksum FROM migration ORDER BY number').all() as AppliedMigration[];
  const pending = pendingMigrations(migrations, applied, path);
  for (const migration of pending) apply(db, migration);
  // The file itself must say which one it is, also when its log is lost.
  if (pending.length > 0) db.pragma('wal_checkpoint(TRUNCATE)');
}

/** @returns how many tables and indexes it has */
function refuseForeign(db: SqliteDatabase, path: string): number {
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (tables > 0 && db.pragma('application_id', { simple: true }) !== applicationId)
    throw new AmendsError('store_refused', `${path} is a SQLite database of another program; give Amends a file of its own`);
  return tables;
}

function createMigrationTable(db: SqliteDatabase): void {
  db.transaction(() => {
    db.pragma(`application_id = ${applicationId}`);
    db.exec(
      'CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT',
    );
  }).immediate();
}

function apply(db: SqliteDatabase, migration: Migration): void {
  const insert = db.prepare('INSERT INTO migration (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)');
  db.transaction(() => {
    db.exec(migration.sql);
    insert.run(migration.number, migration.name, checksumOf(migration), Date.now());
  }).immediate();
}

function openingError(error: unknown, path: string): AmendsError {
  const text = `${path} cannot be opened`;
  const message = error instanceof Error ? error.message : String(error);
  return new AmendsError('store_refused', `${text}: ${reasonOf(error, message)}`, { cause: error });
}

function reasonOf(error: unknown, message: string): string {
  const code = sqliteCode(error) ?? fileSystemCode(error);
  if (code.startsWith('SQLITE_BUSY'))
    return 'it is in use by another process; stop that one, or give this one another path, for a file serves one process at a time';
  if (code.startsWith('SQLITE_NOTADB')) return `it is not a SQLite database; give another path, or restore a backup`;
  if (sqliteFault(error) === 'refused') return `it is damaged (${message}); ${repair}`;
  if (code.startsWith('SQLITE_READONLY') || ['EROFS', 'EACCES', 'EPERM'].includes(code))
    return 'it is read-only; make file and directory writable for the user of this process';
  if (code.startsWith('SQLITE_FULL')) return 'the disk is full; free some space';
  return `${message}; check that its directory exists and that the user of this process may write there`;
}

function fileSystemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
