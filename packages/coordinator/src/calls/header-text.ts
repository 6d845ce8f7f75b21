/** Values of headers beyond ASCII. */

/**
 * A value as it is handed to clients of HTTP, which send one byte for each character: its bytes as UTF-8, as Go sends them.
 * Unencoded, some characters would lose their upper half on the way and become others, line breaks among them.
 */
export function headerText(value: string): string {
  return Buffer.from(value).toString('latin1');
}
