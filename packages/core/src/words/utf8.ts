/** UTF-8 by the language's own means: core has neither encoder nor decoder. */

/** The bytes of a text without broken surrogates. */
export function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(escaped, (letter) => letter.charCodeAt(0));
}

/** As many arguments as one call takes anywhere. */
const bytesAtOnce = 8_192;

/** The text of bytes. @throws URIError when they are not UTF-8 */
export function textOf(bytes: Uint8Array): string {
  let letters = '';
  for (let at = 0; at < bytes.byteLength; at += bytesAtOnce)
    letters += String.fromCharCode(...bytes.subarray(at, at + bytesAtOnce));
  if (!/[^\0-\x7f]/.test(letters)) return letters;
  return decodeURIComponent(letters.replace(/[%\x80-\xff]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`));
}
