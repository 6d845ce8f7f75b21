/** Where a page of a list ended, as opaque text. */
import { type EpochMs, epochMs, type Gid, parseGid, refuse } from '@amends/core';

/** A place in the order of lists: newest first by creation, then gid. */
export interface Position {
  readonly createdAt: EpochMs;
  readonly gid: Gid;
}

/** The text of a place. */
export function encodeCursor(position: Position): string {
  return Buffer.from(`${position.createdAt}:${position.gid}`).toString('base64url');
}

/**
 * The place of a text.
 * @param field name of the parameter, for the error
 * @throws AmendsError `invalid_request` when the text is not one that `cursorOf` made
 */
export function decodeCursor(cursor: string, field: string): Position {
  const match = /^(\d{1,15}):(.+)$/s.exec(Buffer.from(cursor, 'base64url').toString());
  if (match === null) refuse(field, 'is not one that a list has given; leave it out to begin at the newest');
  return { createdAt: epochMs(Number(match[1])), gid: parseGid(match[2]!) };
}
