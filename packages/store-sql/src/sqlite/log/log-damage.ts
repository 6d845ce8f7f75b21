/**
 * Before a file is opened for work: whether its write-ahead log still holds what was answered for. SQLite takes a log up
 * to the first frame that does not fit, or none if there is none, and forgets the rest without a word; so the file is looked
 * at beforehand by a connection that cannot write, which leaves everything where it is.
 *
 * Two signs of damage: whole transactions behind the end of the log (see `write-ahead-log.ts`), and a database that has seen
 * fewer transactions than its witness (see `commit-witness.ts`). Neither is there after a crash alone.
 */
import { copyFileSync, existsSync, rmSync, statSync } from 'node:fs';
import { AmendsError } from '@amends/core';
import Database from 'better-sqlite3';
import { commitsSeen, type Seen, witnessPath } from './commit-witness.ts';
import { probe } from './probe.ts';
import { type LogReading, readLog } from './write-ahead-log.ts';

/** What is wrong with a log. */
export interface LogDamage {
  /** Database transactions that were answered for and are not there; each may hold the changes of many transactions. */
  readonly missing: number;
  /** null: there is no log. */
  readonly log: LogReading | null;
}

/**
 * Looks at the log of a file that was not closed.
 * @param lockWaitMs how long another process may take to let go of the file
 * @returns null when nothing is wrong, or nothing can be told
 * @throws errors of SQLite: in use, damaged
 */
export function logDamage(path: string, lockWaitMs: number): LogDamage | null {
  if (!hasLog(path) && !existsSync(witnessPath(path))) return null;
  refuseJournal(path);
  const hadLog = existsSync(logPath(path));
  const reader = openReader(path, lockWaitMs);
  try {
    return reader.db.transaction(() => damageUnder(reader.db, path, hadLog))();
  } finally {
    reader.close();
  }
}

/** A connection that cannot write, and leaves everything as it was: SQLite makes an index of the log for it, and an empty log. */
export function openReader(path: string, lockWaitMs: number): { readonly db: Database.Database; close(): void } {
  const hadLog = existsSync(logPath(path));
  const hadIndex = existsSync(indexPath(path));
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: lockWaitMs });
  return {
    db,
    close() {
      db.close();
      // Another program that reads the file has an index of its own there, and keeps it.
      if (!hadIndex) rmSync(indexPath(path), { force: true });
      if (!hadLog && existsSync(logPath(path)) && !hasLog(path)) rmSync(logPath(path));
    },
  };
}

/**
 * Refuses a rollback journal: a file with a log or a witness has none of its own, and beside one nothing can be read without
 * writing.
 * @throws AmendsError `store_refused`
 */
function refuseJournal(path: string): void {
  if (!existsSync(`${path}-journal`)) return;
  throw new AmendsError(
    'store_refused',
    `${path}-journal is there, which this store does not make: it would be taken for an interrupted change of ${path}. Nothing has been changed. Move it away`,
  );
}

/**
 * Refuses a database that is gone while its log or its witness is there: SQLite would make an empty one and remove the log.
 * @throws AmendsError `store_refused`
 */
export function refuseLostDatabase(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  const left = [...(hasLog(path) ? [logPath(path)] : []), ...(existsSync(witnessPath(path)) ? [witnessPath(path)] : [])];
  if (left.length === 0) return;
  throw new AmendsError(
    'store_refused',
    `${path} is missing or empty, but ${left.join(' and ')} of it ${left.length > 1 ? 'are' : 'is'} there. Nothing has been changed. ` +
      'Put the file back where it was, or restore a backup; to begin with an empty store, move what is left of the old one away',
  );
}

function hasLog(path: string): boolean {
  return (statSync(logPath(path), { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** The log of a database. */
export function logPath(path: string): string {
  return `${path}-wal`;
}

function indexPath(path: string): string {
  return `${path}-shm`;
}

/** Which database this is, and how many transactions it has seen; null: its schema is older than that. */
export function readSeen(db: Database.Database): Seen | null {
  const columns = db.pragma('table_info(clock)') as { readonly name: string }[];
  if (!columns.some(({ name }) => name === 'commits')) return null;
  return db.prepare('SELECT store, commits FROM clock').get() as Seen;
}

/** While the connection reads, nobody else can write. */
function damageUnder(db: Database.Database, path: string, hadLog: boolean): LogDamage | null {
  const seen = readSeen(db);
  const missing = seen === null ? 0 : Math.max(0, commitsSeen(path, seen.store) - seen.commits);
  const log = hadLog ? readLog(logPath(path)) : null;
  if (missing > 0 || log?.isDamaged) return { missing, log };
  // A log of another database makes nonsense of this one: that must show before anything is written.
  probe(db);
  return null;
}

/** What is wrong, in a sentence. */
function damageText(path: string, { missing, log }: LogDamage): string {
  const count = missing > 0 ? missing : log!.behind.transactions;
  const lost = `${missing > 0 ? '' : 'at least '}${count} commit${count === 1 ? '' : 's'} that ${count === 1 ? 'was' : 'were'} answered`;
  return `${logPath(path)} ${stateText(log)}: ${lost} cannot be read`;
}

function stateText(log: LogReading | null): string {
  if (log === null) return 'is missing';
  const { sound, behind } = log;
  if (behind.frames > 0) return `is damaged after its page ${sound}, with ${behind.frames} more pages behind that`;
  return sound === 0 ? 'is damaged at its beginning or has been emptied' : `ends after its page ${sound}`;
}

/** The error that refuses to open the file. */
export function damageError(path: string, damage: LogDamage): AmendsError {
  return new AmendsError(
    'store_refused',
    `${damageText(path, damage)}. Nothing has been changed. Keep copies of ${path}, ${logPath(path)} and ${witnessPath(path)}; ` +
      'then put back the log if you have it, or restore a backup, removing both other files. To go on without what is ' +
      'missing, start once with --accept-damaged-log; participants may have done what is forgotten then',
  );
}

/** Keeps a copy of the log and lets the file be opened without what is missing. @returns what is to be said about it */
export function acceptDamage(path: string, damage: LogDamage): string {
  const kept = `${logPath(path)}.damaged-${Date.now()}`;
  if (damage.log !== null) copyFileSync(logPath(path), kept);
  rmSync(witnessPath(path), { force: true });
  const where = damage.log === null ? '' : `; the log as it was is kept as ${kept}`;
  return `${damageText(path, damage)}, and is given up as told${where}`;
}
