/** The schema of SQLite files, step by step. */
import type { Migration } from '../migrate.ts';
import { sql as firstSchema } from './sqlite-0001-first-schema.ts';

/** All steps, in order of their numbers. */
export const sqliteMigrations: readonly Migration[] = [{ number: 1, name: 'first-schema', sql: firstSchema }];
