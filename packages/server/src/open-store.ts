/** From the option `store` to a store. */
import { openMemoryStore, type Store } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';

const sqlite = 'sqlite:';

/**
 * Opens the store that the option names; the schema has checked its form.
 * @throws AmendsError `store_refused` or `store_unavailable`, naming the path and the remedy
 */
export async function openStore(option: string): Promise<Store> {
  return option.startsWith(sqlite) ? openSqliteStore({ path: option.slice(sqlite.length) }) : openMemoryStore();
}
