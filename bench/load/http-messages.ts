/**
 * HTTP/1.1 over bare sockets, as little of it as the load generator and the participants need: they must cost less than what is
 * measured.
 */

/** Cuts a stream into messages. @returns what takes in the next piece of the stream */
export function messageCutter(onMessage: (message: string) => void): (piece: Buffer) => void {
  let text = '';
  return (piece) => {
    text += piece.toString('latin1');
    for (let length = messageLength(text); length !== null; length = messageLength(text)) {
      const message = text.slice(0, length);
      text = text.slice(length);
      onMessage(message);
    }
  };
}

/** Length of the first message in `text`; null when it is not complete. */
function messageLength(text: string): number | null {
  const headLength = text.indexOf('\r\n\r\n') + 4;
  if (headLength < 4) return null;
  const head = text.slice(0, headLength);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const end = text.indexOf('0\r\n\r\n', headLength);
    return end < 0 ? null : end + 5;
  }
  const length = headLength + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return text.length < length ? null : length;
}

/** Status of an answer. */
export function statusOf(answer: string): number {
  return Number(answer.slice(9, 12));
}
