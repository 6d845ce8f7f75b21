/**
 * Whether the files that are open are still those that the paths name. Whoever deletes or replaces the database under a
 * running process makes it write into files without a name, which are gone with the process.
 */
import { statSync } from 'node:fs';
import { AmendsError } from '@amends/core';

/**
 * Makes the check for a database that has just been opened in WAL mode. It costs two `stat`s, little next to the `fsync`
 * that a commit waits for, and goes by what is there at the moment: files that are put back are written again.
 * @returns what throws AmendsError `store_unavailable`, naming the path and the remedy, while they are others
 */
export function watchFiles(path: string): () => void {
  const files = [path, `${path}-wal`].map((file) => ({ file, opened: identityOf(file) })).filter(({ opened }) => opened !== null);
  return () => {
    for (const { file, opened } of files) {
      const now = identityOf(file);
      if (now === opened) continue;
      const what = now === null ? 'deleted' : 'replaced';
      throw new AmendsError(
        'store_unavailable',
        `${file} has been ${what} while it was open: nothing more is stored. Put back the file that was there, or stop this process and start it on what is there now`,
      );
    }
  };
}

/** Device and file number; null: there is none. File numbers may be beyond what a double holds. */
function identityOf(file: string): string | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev} ${stat.ino}`;
}
