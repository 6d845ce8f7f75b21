/** A first look at a file. */
import type Database from 'better-sqlite3';

/** Reads a little of every table and index: gross damage shows at once, without reading a file of gigabytes. */
export function probe(db: Database.Database): void {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  for (const table of tables) {
    db.prepare(`SELECT * FROM "${table}" LIMIT 1`).all();
    db.prepare(`SELECT * FROM "${table}" ORDER BY 1 DESC LIMIT 1`).all();
  }
}
