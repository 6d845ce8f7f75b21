/** SQLite's dialect. */
import type { Dialect } from '../dialect.ts';
import { sqliteMigrations } from '../migrations/sqlite.ts';

/** Many gids are one parameter: a JSON array. */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  migrations: sqliteMigrations,
  gidIn: (column) => `${column} IN (SELECT value FROM json_each(?))`,
  gidList: (gids) => JSON.stringify(gids),
};
