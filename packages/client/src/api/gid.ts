/** Making gids as the server does, so that the identity exists before the first attempt to submit. */
import { randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 2020-01-01T00:00Z. */
const originMs = 1_577_836_800_000;
const timeCharacters = 5;
const randomCharacters = 17;

/** A fresh gid: 22 characters of base 62; 5 count seconds, so that indexes grow at one end, and 17 are unguessable. */
export function makeGid(): string {
  return timePart(Math.floor((Date.now() - originMs) / 1000)) + randomPart();
}

function timePart(seconds: number): string {
  let rest = Math.max(0, seconds);
  let text = '';
  for (let i = 0; i < timeCharacters; i++) {
    text = alphabet.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Six bits of each byte; the two of 64 values that have no character are thrown away, so that all are equally likely. */
function randomPart(): string {
  let text = '';
  while (text.length < randomCharacters) {
    for (const byte of randomBytes(randomCharacters - text.length)) text += alphabet.charAt(byte & 63);
  }
  return text;
}
