/** Reads single headers out of raw ones. An object of all headers is not needed. */

/** Names and values in turns, as they came. */
export type RawHeaders = readonly Buffer[];

/** The value of a header, or the values of several as a list; null: there is none. @param name in lower case */
export function headerIn(headers: RawHeaders, name: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const isNamed = headers[i]!.byteLength === name.length && headers[i]!.toString('latin1').toLowerCase() === name;
    if (isNamed) found = found === null ? headers[i + 1]!.toString() : `${found}, ${headers[i + 1]!.toString()}`;
  }
  return found;
}
