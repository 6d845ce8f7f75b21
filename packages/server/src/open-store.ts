/** From the option `store` to a store. */
import { openMemoryStore, type Store } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';
import { startErrorOf } from './start-error.ts';

const sqlite = 'sqlite:';

/**
 * Opens the store that the option names; the schema has checked its form.
 * @throws StartError naming the path and the remedy
 */
export async function openStore(option: string): Promise<Store> {
  if (!option.startsWith(sqlite)) return openMemoryStore();
  try {
    return await openSqliteStore({ path: option.slice(sqlite.length) });
  } catch (error) {
    throw startErrorOf(error);
  }
}
