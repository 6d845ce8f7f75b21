/**
 * Answers before the answer, such as `100 Continue` (RFC 9110, section 15.2), that nobody has asked for. Whoever calls must
 * pass over them; undici breaks the connection at the first `100`, so they are taken out of what it reads.
 */
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** `101` is none of them: what follows it is no HTTP. */
const interim = /^HTTP\/1\.[01] 1(?!01)\d\d/;
const statusLineBytes = 'HTTP/1.1 100'.length;
const statusDigitAt = 'HTTP/1.1 '.length;
const digitOne = 0x31;
const headEnd = '\r\n\r\n';
/** Larger ones are left to undici's own limit. */
const headBytesMax = 16_384;

/** Connects as undici does; of what is answered on the connection it reads the final answers alone. One exchange at a time. */
export function connectorToFinalAnswers(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (place, connected) =>
    connect(place, (...result) => {
      const [error, socket] = result;
      if (error === null) passOverInterim(socket);
      connected(...result);
    });
}

function passOverInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket);
  const nothing = Buffer.alloc(0);
  /** Of an answer whose status line is not there yet, or of an interim one that has not ended. */
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

/** Whether the status line is there and its status begins with no 1: no more than a look for nearly every answer. */
function isFinalAtOnce(chunk: Buffer): boolean {
  return chunk.byteLength >= statusLineBytes && chunk[statusDigitAt] !== digitOne;
}

/** What is left when whole interim answers are gone, and whether the final answer begins there. */
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
