/** From the option `store` to a store. */
import { openMemoryStore, type Store } from '@amends/store';
import { openSqliteStore, type SqliteStoreOptions } from '@amends/store-sql';
import { startErrorOf } from './start-error.ts';

const sqlite = 'sqlite:';

/** What its opener hears of it. */
export type StoreEvents = Required<Pick<SqliteStoreOptions, 'onLost' | 'onCreated'>>;

/**
 * Opens the store that the option names; the schema has checked its form.
 * @throws StartError naming the path and the remedy
 */
export async function openStore(option: string, events: StoreEvents): Promise<Store> {
  if (!option.startsWith(sqlite)) return openMemoryStore();
  try {
    return await openSqliteStore({ path: option.slice(sqlite.length), ...events });
  } catch (error) {
    throw startErrorOf(error);
  }
}
