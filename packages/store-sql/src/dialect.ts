/** What differs between SQL databases, as data and fragments of text. At most 150 lines each. */
import type { Gid } from '@amends/core';
import type { Migration } from './migrate.ts';

/** One kind of database. */
export interface Dialect {
  /** As in `capabilities.name`. */
  readonly name: string;
  /** Its schema, step by step. */
  readonly migrations: readonly Migration[];
  /** A condition that `column` is among many gids, given as one parameter. */
  gidIn(column: string): string;
  /** The parameter of `gidIn`. */
  gidList(gids: readonly Gid[]): string;
}
