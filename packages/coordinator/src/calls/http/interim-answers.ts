/**
 * A server may send interim answers, such as `100 Continue` (RFC 9110, section 15.2), that nobody has asked for. A client must
 * pass over them. undici breaks the connection at the first `100`, so they are taken out of what it reads.
 */
import type { Socket } from 'node:net';

/** The start of an interim answer. `101` is none, because what follows it is no HTTP. */
const interim = /^HTTP\/1\.[01] 1(?!01)\d\d/;
const statusLineBytes = 'HTTP/1.1 100'.length;
const statusDigitAt = 'HTTP/1.1 '.length;
const digitOne = 0x31;
const headEnd = '\r\n\r\n';
/** A larger head is left to undici's own limit. */
const headBytesMax = 16_384;

/** Has a socket give its reader the final answers only. A connection carries one exchange at a time. */
export function passOverInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket);
  const nothing = Buffer.alloc(0);
  /** Bytes of an answer whose status line is not complete yet, or of an interim answer that has not ended. */
  let held: Buffer = nothing;
  let isAnswerAwaited = false;

  socket.write = (bytes: Uint8Array | string, encoding?: unknown, sent?: (error?: Error | null) => void) => {
    isAnswerAwaited = true;
    return write(bytes, encoding as BufferEncoding, sent);
  };
  socket.read = (size?: number) => {
    for (;;) {
      const chunk: Buffer | null = read(size);
      if (!isAnswerAwaited || chunk === null) return chunk;
      if (held === nothing && isFinalAtOnce(chunk)) {
        isAnswerAwaited = false;
        return chunk;
      }
      const { rest, isFinal } = withoutInterim(held.byteLength === 0 ? chunk : Buffer.concat([held, chunk]));
      held = isFinal ? nothing : rest;
      if (!isFinal) continue;
      isAnswerAwaited = false;
      return rest;
    }
  };
}

/** Whether the status line is there and its status does not begin with 1. It is so for nearly every answer, and cheap to tell. */
function isFinalAtOnce(chunk: Buffer): boolean {
  return chunk.byteLength >= statusLineBytes && chunk[statusDigitAt] !== digitOne;
}

/** Takes whole interim answers away, and tells whether the final answer begins with what is left. */
function withoutInterim(bytes: Buffer): { readonly rest: Buffer; readonly isFinal: boolean } {
  let rest = bytes;
  while (rest.byteLength >= statusLineBytes) {
    if (!interim.test(rest.toString('latin1', 0, statusLineBytes))) return { rest, isFinal: true };
    const end = rest.indexOf(headEnd);
    if (end < 0) return { rest, isFinal: rest.byteLength > headBytesMax };
    rest = rest.subarray(end + headEnd.length);
  }
  return { rest, isFinal: false };
}
