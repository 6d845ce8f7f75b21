/**
 * Migrations: numbered steps of the schema, applied in order, each in a database transaction of its own together with
 * its row in the table `migration`. A step that was ever released is never edited; its checksum says so.
 */
import { createHash } from 'node:crypto';
import { AmendsError } from '@amends/core';

/** One step. */
export interface Migration {
  /** From 1, without gaps. */
  readonly number: number;
  readonly name: string;
  /** One or more statements. */
  readonly sql: string;
}

/** A row of the table `migration`. */
export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

/** SHA-256 of the step's text, 64 hex digits. */
export function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}

/**
 * The steps that a database still lacks.
 * @param where the database's name in messages, such as its path
 * @throws AmendsError `store_refused` when it holds steps that this version does not know, or knows otherwise
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
  where: string,
): readonly Migration[] {
  for (const step of applied) {
    const own = known.find((migration) => migration.number === step.number);
    if (own === undefined) throw newer(step, known.length, where);
    if (checksumOf(own) !== step.checksum) throw alteredError(step, where);
  }
  return known.filter((migration) => !applied.some((step) => step.number === migration.number));
}

function newer(step: AppliedMigration, knownCount: number, where: string): AmendsError {
  return new AmendsError(
    'store_refused',
    `${where} has schema version ${step.number} (${step.name}), this version of Amends knows versions up to ${knownCount}: ` +
      'run the version of Amends that wrote it, or a later one, or restore a backup from before the upgrade',
  );
}

function alteredError(step: AppliedMigration, where: string): AmendsError {
  return new AmendsError(
    'store_refused',
    `${where}: migration ${step.number} (${step.name}) was applied with another content than this version of Amends has ` +
      `(checksum ${step.checksum.slice(0, 12)}…): run the release that wrote it, or restore a backup`,
  );
}
