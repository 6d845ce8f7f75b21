/** Identities of transactions as DTM takes them. */
import { type Gid, parseGid, refuse } from '@amends/core';

const strippedCharacters = /[\n\r;]/g;

/**
 * A gid as DTM takes it: line breaks and semicolons are dropped.
 * @throws AmendsError `invalid_request` naming `gid`
 */
export function parseDtmGid(text: string): Gid {
  const gid = text.replace(strippedCharacters, '');
  if (gid === '') refuse('gid', 'is missing; take one from newGid');
  return parseGid(gid);
}
