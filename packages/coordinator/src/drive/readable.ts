/**
 * Whether what a store gives of a transaction can be understood and is what was stored. Everything that is read comes
 * through here, so that nothing is decided, and nothing sent, by what has been altered or damaged.
 */
import { AmendsError, isNewer, specFormat, stateFormat, troubleIn } from '@amends/core';
import { type StoredTransaction, unreadSpec } from '@amends/store';
import type { Digest } from '../ports/ports.ts';

/** Why a transaction cannot be read, as what whoever asks for it is told; null: it can. */
export function unreadableBecause(stored: StoredTransaction, digest: Digest): AmendsError | null {
  if (isNewer(stored)) return writtenByNewer(stored);
  const trouble =
    stored.spec.format === unreadSpec.format
      ? 'its plan, or what was recorded beside it, is missing or damaged'
      : troubleIn(stored, digest);
  if (trouble === null) return null;
  return new AmendsError(
    'store_refused',
    `gid: what is stored of ${JSON.stringify(stored.row.gid)} cannot be read: ${trouble}; restore a backup, or see to its participants by hand and terminate it`,
  );
}

function writtenByNewer({ row, spec }: StoredTransaction): AmendsError {
  return new AmendsError(
    'store_refused',
    `gid: ${JSON.stringify(row.gid)} was written by a newer version of Amends (formats ${row.format} and ${spec.format}, this one knows up to ${stateFormat} and ${specFormat}): ask a node of that version`,
  );
}
