/** From the option `store` to a store. */
import { openMemoryStore, type Store } from '@amends/store';
import { openSqliteStore, type SqliteStoreOptions } from '@amends/store-sql';
import type { Config } from '../config/index.ts';
import { startErrorOf } from '../start-error-of.ts';

const sqlite = 'sqlite:';

/** The path in the option `store`; null: it names none. */
function sqlitePath(option: string): string | null {
  return option.startsWith(sqlite) ? option.slice(sqlite.length) : null;
}

/** What its opener hears of it. */
export type StoreEvents = Required<Pick<SqliteStoreOptions, 'onLost' | 'onCreated' | 'onNote'>>;

/** A store that can be copied. */
export interface StoreCopy {
  /** Where it lies. */
  readonly path: string;
  /** As `SqliteStore.backUp`. */
  backUp(file: string): Promise<void>;
}

export interface OpenedStore {
  readonly store: Store;
  /** null: it cannot be copied. */
  readonly copy: StoreCopy | null;
}

/**
 * Opens the store that the option names; the schema has checked its form.
 * @throws StartError naming the path and the remedy
 */
export async function openStore(
  { store: option, acceptDamagedLog }: Pick<Config, 'store' | 'acceptDamagedLog'>,
  events: StoreEvents,
): Promise<OpenedStore> {
  const path = sqlitePath(option);
  if (path === null) return { store: openMemoryStore(), copy: null };
  try {
    const store = await openSqliteStore({ path, acceptDamagedLog, ...events });
    return { store, copy: { path, backUp: (file) => store.backUp(file) } };
  } catch (error) {
    throw startErrorOf(error);
  }
}
