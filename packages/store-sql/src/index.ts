export {
  backUpSqliteFile,
  compactSqliteFile,
  type FileReport,
  verifySqliteFile,
} from './sqlite/file-care.ts';
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './sqlite/open-sqlite-store.ts';
