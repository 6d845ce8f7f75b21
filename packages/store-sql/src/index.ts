export {
  backUpSqliteFile,
  compactSqliteFile,
  type FileReport,
  verifySqliteFile,
} from './sqlite/care/file-care.ts';
export { openSqliteStore, type SqliteStore } from './sqlite/open-sqlite-store.ts';
export type { SqliteStoreOptions } from './sqlite/sqlite-session.ts';
