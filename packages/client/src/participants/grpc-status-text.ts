/** The text of a status, as short as every client takes it. */

/**
 * Of the text as it travels, encoded, in a header. Clients read headers of 8 KiB and more; for those that get more than they read
 * the call has broken, whatever its status.
 */
const bytesMax = 4_096;

/** A text, cut where `grpc-message` would be longer than 4 KiB as percent-encoded UTF-8. */
export function statusText(text: string): string {
  const end = '…';
  const start = text.slice(0, bytesMax).toWellFormed();
  if (text.length <= bytesMax && encodedBytes(start) <= bytesMax) return start;
  return start.slice(0, charactersWithin(start, bytesMax - encodedBytes(end))) + end;
}

/** How much of a text takes no more than so many bytes. */
function charactersWithin(text: string, bytes: number): number {
  let left = bytes;
  let count = 0;
  for (const character of text) {
    left -= encodedBytes(character);
    if (left < 0) break;
    count += character.length;
  }
  return count;
}

function encodedBytes(text: string): number {
  return encodeURI(text).length;
}
