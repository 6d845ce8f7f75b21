/** Shortens the text of a status to what every client takes. */

/**
 * The longest text as it travels, encoded, in a header. Clients read at least 8 KiB of headers. Where a client gets more than it
 * reads, the call breaks and its status is lost.
 */
const bytesMax = 4_096;

/** Cuts a text where `grpc-message` would be longer than 4 KiB as percent-encoded UTF-8. */
export function shortenStatusText(text: string): string {
  const end = '…';
  const start = text.slice(0, bytesMax).toWellFormed();
  if (text.length <= bytesMax && encodedBytes(start) <= bytesMax) return start;
  return start.slice(0, charactersWithin(start, bytesMax - encodedBytes(end))) + end;
}

/** How many characters of a text fit into so many bytes. */
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
