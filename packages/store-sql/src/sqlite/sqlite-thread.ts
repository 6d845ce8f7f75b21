/** Entry of the thread that alone touches the SQLite file, so that a slow disk never stops the event loop. */
import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { isAmendsError } from '@amends/core';
import type { Statement } from 'better-sqlite3';
import type { SqlRow } from '../columns.ts';
import type { SqlQuery } from '../sql-session.ts';
import { batchApplier } from './apply-changes.ts';
import { fileWatch } from './file-watch.ts';
import { missingPaths, openDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { operatingError } from './sqlite-errors.ts';
import type { ThreadReply, ThreadRequest, ThreadValues } from './thread-messages.ts';
import { inTransaction } from './transaction.ts';

const port = parentPort!;
const { path } = workerData as { readonly path: string };

answer(open);

function open(): ThreadValues['opened'] {
  const created = missingPaths(path);
  const db = openDatabase(path, sqliteDialect.migrations);
  // The file is ours alone: whoever was alive in an earlier run is dead.
  db.prepare('DELETE FROM node').run();
  const highWaterMs = db.prepare('SELECT high_water_ms FROM clock').pluck().get() as number;
  serve(db);
  return { highWaterMs, created };
}

function serve(db: SqliteDatabase): void {
  const commit = batchApplier(db);
  const run = queryRunner(db);
  const mustBeThere = fileWatch(path);
  port.on('message', (request: ThreadRequest) => {
    answer(() => {
      switch (request.op) {
        case 'commit':
          mustBeThere();
          return commit(request.values);
        case 'read':
          return request.queries.map(run);
        case 'write':
          mustBeThere();
          return inTransaction(db, () => request.queries.map(run));
        case 'facts':
          return factsOf(db);
        case 'close':
          db.close();
          return null;
      }
    });
    if (request.op === 'close') port.close();
  });
}

/** Runs statements, each prepared when it first comes. */
function queryRunner(db: SqliteDatabase): (query: SqlQuery) => readonly SqlRow[] {
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

function factsOf(db: SqliteDatabase): ThreadValues['facts'] {
  return {
    schemaVersion: db.prepare('SELECT max(number) FROM migration').pluck().get() as number,
    journalMode: String(db.pragma('journal_mode', { simple: true })),
    fileBytes: bytesOf(path),
    walBytes: bytesOf(`${path}-wal`),
    sqliteVersion: db.prepare('SELECT sqlite_version()').pluck().get() as string,
  };
}

function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function answer(compute: () => unknown): void {
  let reply: ThreadReply;
  try {
    reply = { value: compute() };
  } catch (error) {
    const told = operatingError(error, path);
    const message = told instanceof Error ? told.message : String(told);
    reply = { error: { code: isAmendsError(told) ? told.code : null, message } };
  }
  port.postMessage(reply);
}
