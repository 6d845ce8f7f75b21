/** Tells a database of better-sqlite3 from those of other drivers, whose methods of the same names do something else. */

/** @throws TypeError naming what is expected and what came */
export function mustBeSqliteHandle(db: unknown): void {
  const { inTransaction, exec, prepare, transaction } = (db ?? {}) as Record<string, unknown>;
  const has = typeof inTransaction === 'boolean' && [exec, prepare, transaction].every((each) => typeof each === 'function');
  if (has) return;
  throw new TypeError(
    `the barrier takes an open database of better-sqlite3, as of new Database('bank.db'), but got ${kindOf(db)}; handles of other drivers (node:sqlite, sqlite3, pools of servers) do not fit`,
  );
}

function kindOf(db: unknown): string {
  if (db === null || typeof db !== 'object') return db === null ? 'null' : typeof db;
  if ('then' in db) return 'a promise: await it first';
  const name = db.constructor?.name ?? 'Object';
  return name === 'Object' ? 'a plain object' : `a ${name}`;
}
