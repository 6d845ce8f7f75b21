/** From the option `store` to a store. */
import type { AmendsError } from '@amends/core';
import { openMemoryStore, type Store } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';
import { startErrorOf } from './start-error.ts';

const sqlite = 'sqlite:';

/**
 * Opens the store that the option names; the schema has checked its form.
 * @param onLost is called when the store has broken down for good; only a restart of the process helps
 * @throws StartError naming the path and the remedy
 */
export async function openStore(option: string, onLost: (error: AmendsError) => void): Promise<Store> {
  if (!option.startsWith(sqlite)) return openMemoryStore();
  try {
    return await openSqliteStore({ path: option.slice(sqlite.length), onLost });
  } catch (error) {
    throw startErrorOf(error);
  }
}
