/** What is done to a SQLite file that no server has open: copied, examined, rewritten. None of it changes the schema. */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { AmendsError, isNewer, type StoredRecord, troubleIn } from '@amends/core';
import type Database from 'better-sqlite3';
import { selectBeside } from '../../statements.ts';
import {
  historyColumns,
  readHistory,
  readRecord,
  readTx,
  recordColumns,
  type SqlRow,
  specColumns,
  txNames,
} from '../../tables.ts';
import { lockWaitMs, openForCare, opening } from '../file/sqlite-database.ts';
import { operatingError } from '../file/sqlite-errors.ts';
import { damageError, logDamage, openReader } from '../log/log-damage.ts';
import { backUp } from './backup.ts';
import { rewrite } from './space.ts';

/**
 * Copies a store into a new file.
 * @throws AmendsError `store_refused`: not there, in use, damaged; or there is such a file
 */
export function backUpSqliteFile(path: string, file: string): Promise<void> {
  return reading(path, (db) => backUp(db, file));
}

/** What was found in a store. */
export interface FileReport {
  readonly transactions: number;
  /** What is wrong, one line each; empty: nothing. */
  readonly troubles: readonly string[];
}

/**
 * Reads everything in a store, or in a backup, and changes nothing: pages and indexes, whether each transaction has its
 * parts and no part is without one, whether plans and states can be read and are what was written.
 * @throws AmendsError `store_refused`: not there, in use, not to be read at all, or its log has lost something
 */
export function verifySqliteFile(path: string): Promise<FileReport> {
  return reading(path, async (db) => {
    const pages = (db.prepare('PRAGMA integrity_check(100)').pluck().all() as string[]).filter((line) => line !== 'ok');
    if (pages.length > 0) return { transactions: 0, troubles: pages };
    const transactions = db.prepare('SELECT count(*) FROM tx').pluck().get() as number;
    return { transactions, troubles: [...strays(db), ...unreadable(db), ...unreadableHistories(db)] };
  });
}

/**
 * Writes the file anew, as small as it can be, and able to shrink from then on.
 * @returns its bytes before and after
 * @throws AmendsError `store_refused`: not there, in use, damaged; `store_unavailable`: no room
 */
export function compactSqliteFile(path: string): { readonly bytesBefore: number; readonly bytesAfter: number } {
  const bytesBefore = existsSync(path) ? statSync(path).size : 0;
  opening(path, () => {
    const db = openForCare(path);
    try {
      rewrite(db);
    } finally {
      db.close();
    }
  });
  return { bytesBefore, bytesAfter: statSync(path).size };
}

async function reading<T>(path: string, act: (db: Database.Database) => Promise<T>): Promise<T> {
  const reader = opening(path, () => {
    if (!existsSync(path)) throw new AmendsError('store_refused', `${path} is not there`);
    const damage = logDamage(path, lockWaitMs);
    if (damage !== null) throw damageError(path, damage);
    return openReader(path, lockWaitMs);
  });
  try {
    opening(path, () => reader.db.prepare('SELECT count(*) FROM tx LIMIT 1').get());
    return await act(reader.db);
  } catch (error) {
    throw operatingError(error, path);
  } finally {
    reader.close();
  }
}

const linesMax = 100;

function strays(db: Database.Database): readonly string[] {
  const without = (table: string) =>
    db.prepare(`SELECT DISTINCT tx_id FROM ${table} WHERE tx_id NOT IN (SELECT id FROM tx) LIMIT ${linesMax}`).pluck().all();
  const parts = ['spec', 'history', 'record'].flatMap((table) =>
    without(table).map((id) => `${table} of transaction ${id}: there is no such transaction`),
  );
  const bare = db.prepare(`SELECT gid FROM tx WHERE id NOT IN (SELECT tx_id FROM spec) LIMIT ${linesMax}`).pluck().all();
  return [...parts, ...bare.map((gid) => `transaction ${JSON.stringify(gid)} has no plan`)];
}

function unreadable(db: Database.Database): readonly string[] {
  const spec = specColumns.names.map((column) => `spec.${column}`);
  const tx = txNames.map((column) => `tx.${column}`);
  const all = db.prepare(`SELECT ${[...tx, ...spec].join(', ')} FROM tx JOIN spec ON spec.tx_id = tx.id`).raw();
  const record = recordColumnsIn(db);
  const beside = db.prepare(`SELECT tx.gid, ${record} FROM record JOIN tx ON tx.id = record.tx_id WHERE tx.gid = ?`).raw();
  const troubles: string[] = [];
  for (const row of all.iterate() as IterableIterator<SqlRow>) {
    const trouble = findTrouble(row, beside.all(row[0]) as SqlRow[]);
    if (trouble !== null) troubles.push(`transaction ${JSON.stringify(row[0])}: ${trouble}`);
    if (troubles.length === linesMax) break;
  }
  return troubles;
}

/** Older schemas have no digest beside a record. */
function recordColumnsIn(db: Database.Database): string {
  return recordColumns.names.map((name) => (hasColumn(db, 'record', name) ? `record.${name}` : 'NULL')).join(', ');
}

/** In older schemas the history has nothing but columns, which are read as they are. */
function unreadableHistories(db: Database.Database): readonly string[] {
  if (!hasColumn(db, 'history', 'entries')) return [];
  const troubles: string[] = [];
  for (const row of db.prepare(selectBeside('history', historyColumns)).raw().iterate() as IterableIterator<SqlRow>) {
    const trouble = findHistoryTrouble(row);
    if (trouble !== null) troubles.push(`transaction ${JSON.stringify(row[0])}: ${trouble}`);
    if (troubles.length === linesMax) break;
  }
  return troubles;
}

function findHistoryTrouble(row: SqlRow): string | null {
  try {
    readHistory(row, 1);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function hasColumn(db: Database.Database, table: string, name: string): boolean {
  const columns = db.pragma(`table_info(${table})`) as { readonly name: string }[];
  return columns.some((column) => column.name === name);
}

/** As the coordinator judges it; what a newer version has written is left to that. */
function findTrouble(row: SqlRow, beside: readonly SqlRow[]): string | null {
  const tx = readTx(row);
  const spec = specColumns.read(row, txNames.length);
  if (isNewer({ row: tx, spec })) return null;
  const records = beside.map((one) => readRecord(one, 1));
  const altered = beside.find((_, index) => records[index] === null);
  if (altered !== undefined) return `${altered[1]} ${JSON.stringify(altered[2])} is not what was written`;
  return troubleIn({ row: tx, spec, records: records as StoredRecord[] }, sha256);
}

function sha256(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
