/** The schema of SQLite files, step by step. */
import type { Migration } from '../migrate.ts';
import { sql as firstSchema } from './sqlite-0001-first-schema.ts';
import { sql as listIndex } from './sqlite-0002-list-index.ts';
import { sql as recordDigest } from './sqlite-0003-record-digest.ts';
import { sql as commitCount } from './sqlite-0004-commit-count.ts';
import { sql as compactHistory } from './sqlite-0005-compact-history.ts';
import { sql as noCreatedIndex } from './sqlite-0006-no-created-index.ts';

/** All steps, in order of their numbers. */
export const sqliteMigrations: readonly Migration[] = [
  { number: 1, name: 'first-schema', sql: firstSchema },
  { number: 2, name: 'list-index', sql: listIndex },
  { number: 3, name: 'record-digest', sql: recordDigest },
  { number: 4, name: 'commit-count', sql: commitCount },
  { number: 5, name: 'compact-history', sql: compactHistory },
  { number: 6, name: 'no-created-index', sql: noCreatedIndex },
];
