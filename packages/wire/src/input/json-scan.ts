/** One pass over a JSON text, for what a parsed value does not tell any more. */

/** What the pass has found; of a text that is not JSON it says nothing. */
interface JsonScan {
  /** Keys of objects, each as often as it is there: as many as colons outside of strings. */
  readonly keys: number;
  /** Whether there is a number whose digits a double may not hold. Those inside of strings do not count. */
  readonly hasLongNumber: boolean;
}

const quote = 0x22;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const backslash = 0x5c;
const letterE = 0x65;
const toLowerCase = 0x20;
/** Every number with fewer digits, and without an exponent, is one that a double holds. */
const safeDigitsMax = 15;

/** Looks at each character once. */
export function scanJson(text: string): JsonScan {
  let keys = 0;
  let hasLongNumber = false;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= zero && code <= nine) {
      if (++digits > safeDigitsMax) hasLongNumber = true;
    } else if (code !== dot) {
      if (code === quote) at = endOfString(text, at);
      else if (code === colon) keys++;
      else if (digits > 0 && (code | toLowerCase) === letterE) hasLongNumber = true;
      digits = 0;
    }
  }
  return { keys, hasLongNumber };
}

/** The place of the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    at += code === backslash ? 2 : 1;
  }
  return at;
}
