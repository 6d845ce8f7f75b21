/** Values of headers beyond ASCII. */

/**
 * A value in the form in which it is handed to clients of HTTP. They send one byte for each character, so each character here is
 * one byte of the value's UTF-8; Go sends the same bytes. A character that is handed over as it is can lose its upper byte and
 * become another one, such as a line break.
 */
export function headerText(value: string): string {
  return Buffer.from(value).toString('latin1');
}
