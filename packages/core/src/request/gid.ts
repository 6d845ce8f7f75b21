/**
 * Making gids: 22 characters of base 62, unguessable and ordered by time, so that an index on them grows at one end
 * and its pages stay warm.
 *
 * Shape: 5 characters of whole seconds since 2020-01-01 (lasts until the year 2049, then wraps to be merely unordered),
 * then 17 characters of randomness: 62^17 > 2^101.
 */
import type { EpochMs, Gid } from '../words/ids.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 2020-01-01T00:00Z. */
const originMs = 1_577_836_800_000;
const timeCharacters = 5;
const randomCharacters = 17;

/** How many random bytes `makeGid` needs: 6 bits of each are looked at, and 2 of 64 values are thrown away. */
export const gidRandomBytes = 32;

/**
 * Makes a gid from a moment and random bytes.
 * @param random at least `gidRandomBytes` bytes from a cryptographic source; asked for again when, rarely, they do not suffice
 */
export function makeGid(now: EpochMs, random: () => Uint8Array): Gid {
  return (timePart(now) + randomPart(random)) as Gid;
}

function timePart(now: EpochMs): string {
  let seconds = Math.max(0, Math.floor((now - originMs) / 1000));
  let text = '';
  for (let i = 0; i < timeCharacters; i++) {
    text = alphabet.charAt(seconds % 62) + text;
    seconds = Math.floor(seconds / 62);
  }
  return text;
}

function randomPart(random: () => Uint8Array): string {
  let text = '';
  while (text.length < randomCharacters) {
    for (const byte of random()) {
      const value = byte & 63;
      if (value < 62 && text.length < randomCharacters) text += alphabet.charAt(value);
    }
  }
  return text;
}
