/**
 * Whether what a store gives of a transaction can be understood and is what was stored. Everything that is read comes
 * through here, so that nothing is decided, and nothing sent, by what has been altered or damaged.
 */
import { AmendsError, decodeSpec, fits, fromRow, type Given, givenOf, specFormat, stateFormat } from '@amends/core';
import { type StoredTransaction, unreadSpec } from '@amends/store';
import type { Digest } from './ports.ts';

/** Whether a newer version has written it: nothing is wrong with it, but this version has nothing to do with it. */
export function isNewer({ row, spec }: StoredTransaction): boolean {
  return row.format > stateFormat || spec.format > specFormat;
}

/** Why a transaction cannot be read, as what whoever asks for it is told; null: it can. */
export function unreadableBecause(stored: StoredTransaction, digest: Digest): AmendsError | null {
  if (isNewer(stored)) return writtenByNewer(stored);
  try {
    check(stored, digest);
    return null;
  } catch (error) {
    const { gid } = stored.row;
    return new AmendsError(
      'store_refused',
      `gid: what is stored of ${JSON.stringify(gid)} cannot be read: ${(error as Error).message}; restore a backup, or see to its participants by hand and terminate it`,
      { cause: error },
    );
  }
}

function writtenByNewer({ row, spec }: StoredTransaction): AmendsError {
  return new AmendsError(
    'store_refused',
    `gid: ${JSON.stringify(row.gid)} was written by a newer version of Amends (formats ${row.format} and ${spec.format}, this one knows up to ${stateFormat} and ${specFormat}): ask a node of that version`,
  );
}

/** @throws Error saying which part is not what it was */
function check({ row, spec, records }: StoredTransaction, digest: Digest): void {
  if (spec.format === unreadSpec.format) throw new Error('its plan, or what was recorded beside it, is missing or damaged');
  if (digest([spec.plan, spec.payloads]) !== spec.digest)
    throw new Error('its plan or its payloads are not those that were stored, their digest differs');
  const plan = part('plan', () => decodeSpec(spec));
  const given: Given = part('records', () => givenOf(plan, records));
  if (!part('state', () => fits(fromRow(row), given))) throw new Error('its state does not fit its plan');
}

function part<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`its ${name}: ${(error as Error).message}`, { cause: error });
  }
}
