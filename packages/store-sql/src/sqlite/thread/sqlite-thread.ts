/** Entry of the thread that alone touches the SQLite file, so that a slow disk never stops the event loop. */
import { existsSync, statSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { isAmendsError } from '@amends/core';
import type { Statement } from 'better-sqlite3';
import type { SqlQuery } from '../../sql-session.ts';
import type { SqlRow, SqlValue } from '../../tables.ts';
import { backUp } from '../care/backup.ts';
import { freeBytes, giveBack, letShrink } from '../care/space.ts';
import { watchFiles } from '../file/file-watch.ts';
import { missingPaths, openDatabase, type SqliteDatabase } from '../file/sqlite-database.ts';
import { operatingError } from '../file/sqlite-errors.ts';
import { CommitWitness } from '../log/commit-witness.ts';
import { logPath, readSeen } from '../log/log-damage.ts';
import { sqliteDialect } from '../sqlite-dialect.ts';
import { prepareBatches } from './apply-changes.ts';
import type { BackupRequest, ThreadReply, ThreadRequest, ThreadValues } from './thread-messages.ts';
import { countTransactions } from './transaction.ts';

const port = parentPort!;
const { path, acceptsDamage } = workerData as { readonly path: string; readonly acceptsDamage: boolean };

answer(port, open);

function open(): ThreadValues['opened'] {
  const created = missingPaths(path);
  const notes: string[] = [];
  const onDamageAccepted = (words: string) => void notes.push(words);
  const db = openDatabase(path, sqliteDialect.migrations, acceptsDamage ? { onDamageAccepted } : {});
  // The file is ours alone: whoever was alive in an earlier run is dead.
  db.prepare('DELETE FROM node').run();
  const highWaterMs = db.prepare('SELECT high_water_ms FROM clock').pluck().get() as number;
  if (!letShrink(db))
    notes.push(`${path} keeps the space of what is removed for new rows; it can shrink after amends store compact`);
  serve(db);
  return { highWaterMs, created, notes };
}

function serve(db: SqliteDatabase): void {
  const witness = new CommitWitness(path, readSeen(db)!);
  const transact = countTransactions(db, witness);
  const commit = prepareBatches(db, transact);
  const commitAndSettle = (values: readonly SqlValue[]) => {
    const answers = commit(values);
    witness.settle();
    return answers;
  };
  const run = prepareQueries(db);
  const mustBeThere = watchFiles(path);
  let isOpen = true;
  port.on('message', (request: ThreadRequest | BackupRequest) => {
    if (request.op === 'backup') return answerLater(request.port, () => backUp(db, request.file, () => isOpen));
    answer(port, () => {
      switch (request.op) {
        case 'commit':
          mustBeThere();
          return commitAndSettle(request.values);
        case 'read':
          return request.queries.map(run);
        case 'write':
          mustBeThere();
          return transact(() => request.queries.map(run));
        case 'facts':
          return readFacts(db);
        case 'giveBack':
          mustBeThere();
          return giveBack(db);
        case 'close':
          isOpen = false;
          close(db, witness);
          return null;
      }
    });
    if (request.op === 'close') port.close();
  });
}

function close(db: SqliteDatabase, witness: CommitWitness): void {
  db.close();
  if (!existsSync(logPath(path))) witness.remove();
}

/** Runs statements, each prepared when it first comes. */
function prepareQueries(db: SqliteDatabase): (query: SqlQuery) => readonly SqlRow[] {
  const prepared = new Map<string, Statement>();
  return ({ sql, parameters }) => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      if (statement.reader) statement.raw();
      prepared.set(sql, statement);
    }
    if (statement.reader) return statement.all(...parameters) as SqlRow[];
    statement.run(...parameters);
    return [];
  };
}

function readFacts(db: SqliteDatabase): ThreadValues['facts'] {
  return {
    schemaVersion: db.prepare('SELECT max(number) FROM migration').pluck().get() as number,
    journalMode: String(db.pragma('journal_mode', { simple: true })),
    fileBytes: readSize(path),
    freeBytes: freeBytes(db),
    walBytes: readSize(`${path}-wal`),
    sqliteVersion: db.prepare('SELECT sqlite_version()').pluck().get() as string,
  };
}

function readSize(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function answer(to: MessagePort, compute: () => unknown): void {
  let reply: ThreadReply;
  try {
    reply = { value: compute() };
  } catch (error) {
    reply = failure(error);
  }
  to.postMessage(reply);
}

function answerLater(to: MessagePort, act: () => Promise<void>): void {
  act().then(
    () => to.postMessage({ value: null }),
    (error: unknown) => to.postMessage(failure(error)),
  );
}

function failure(error: unknown): ThreadReply {
  const told = operatingError(error, path);
  const message = told instanceof Error ? told.message : String(told);
  return { error: { code: isAmendsError(told) ? told.code : null, message } };
}
