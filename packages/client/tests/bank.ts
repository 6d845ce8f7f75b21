/** A bank whose accounts lie in a SQLite file: what participants are tested with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Accounts with cents, and every way to look at them. */
export interface Bank {
  readonly db: Database.Database;
  /** Adds cents, or takes them. @returns how many there are now */
  move(account: string, cents: number): number;
  cents(account: string): number;
  /** `op/barrier id/reason` of each row of the barrier. */
  barrierRows(): readonly string[];
  close(): void;
}

/** Opens a bank with 100 cents on the account `ann`, in a fresh file. */
export function openBank(): Bank {
  const folder = mkdtempSync(join(tmpdir(), 'amends-client-'));
  const db = new Database(join(folder, 'bank.db'));
  db.pragma('journal_mode = WAL');
  db.exec(`CREATE TABLE account (name TEXT PRIMARY KEY, cents INTEGER NOT NULL) STRICT;
    INSERT INTO account VALUES ('ann', 100)`);
  const change = db
    .prepare<[number, string], number>('UPDATE account SET cents = cents + ? WHERE name = ? RETURNING cents')
    .pluck();
  const read = db.prepare<[string], number>('SELECT cents FROM account WHERE name = ?').pluck();
  return {
    db,
    move: (account, cents) => change.get(cents, account)!,
    cents: (account) => read.get(account)!,
    barrierRows: () =>
      db.prepare<[], string>(`SELECT op || '/' || barrier_id || '/' || reason FROM dtm_barrier ORDER BY id`).pluck().all(),
    close() {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
}
