/** Care of the file of a store that no server has open. */
import * as file from '@amends/store-sql';
import { startErrorOf } from '../start-error-of.ts';

/** What was found in a store. */
export type FileReport = file.FileReport;

/**
 * Copies a SQLite store into a new file.
 * @throws StartError naming the path and the remedy
 */
export function backUpStoreFile(path: string, copy: string): Promise<void> {
  return tellTrouble(() => file.backUpSqliteFile(path, copy));
}

/**
 * Reads everything in a SQLite store or in a backup, and changes nothing.
 * @throws StartError naming the path and the remedy
 */
export function verifyStoreFile(path: string): Promise<FileReport> {
  return tellTrouble(() => file.verifySqliteFile(path));
}

/**
 * Writes the file of a SQLite store anew, as small as it can be.
 * @returns its bytes before and after
 * @throws StartError naming the path and the remedy
 */
export function compactStoreFile(path: string): Promise<ReturnType<typeof file.compactSqliteFile>> {
  return tellTrouble(async () => file.compactSqliteFile(path));
}

async function tellTrouble<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw startErrorOf(error);
  }
}
