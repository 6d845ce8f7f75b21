/** The way to one SQL database: what the store on top needs of a driver, a pool or a thread. */
import type { EpochMs } from '@amends/core';
import type { AnyChange, CommitAnswer } from '@amends/store';
import type { SqlRow, SqlValue } from './tables.ts';

/** One statement with its parameters. */
export interface SqlQuery {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** Errors are those of `Store`. */
export interface SqlSession {
  /** Runs statements that only read, all on one snapshot. @returns the rows of each */
  read(queries: readonly SqlQuery[]): Promise<readonly (readonly SqlRow[])[]>;
  /**
   * As `read`, for people, who ask in any number: so that they never keep work waiting. Where one connection does all, at
   * most one of these waits in front of a commit.
   */
  look(queries: readonly SqlQuery[]): Promise<readonly (readonly SqlRow[])[]>;
  /** Runs statements in one database transaction. @returns the rows of each that returns any */
  write(queries: readonly SqlQuery[]): Promise<readonly (readonly SqlRow[])[]>;
  /** As `Store.commit`. */
  commit(changes: readonly AnyChange[]): Promise<readonly CommitAnswer[]>;
  /** The database's time, not earlier than the stored high-water mark. */
  time(): Promise<EpochMs>;
  /** Gives some of the space of what was deleted back. @returns whether there is more */
  giveBack(): Promise<boolean>;
  /** For `Store.ping`. */
  facts(): Promise<Readonly<Record<string, string | number>>>;
  /** Finishes what was begun and releases everything; other calls reject afterwards. */
  close(): Promise<void>;
}
