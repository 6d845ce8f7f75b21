/**
 * Removes interim answers, such as `100 Continue` (RFC 9110, section 15.2), from what is read on a connection. A client must
 * ignore those that it has not asked for, but undici breaks the connection at the first `100`.
 */
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** `101` is not among them: after it the connection no longer carries HTTP. */
const interim = /^HTTP\/1\.[01] 1(?!01)\d\d/;
const statusLineBytes = 'HTTP/1.1 100'.length;
const headEnd = '\r\n\r\n';
/** A longer head is passed on, and undici's own limit refuses it. */
const headBytesMax = 16_384;

/** Called with a connection, or with the error. */
type Connected = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/** Connects as undici does, and lets it read final answers alone. A connection carries one exchange at a time. */
export function connectorToFinalAnswers(): (place: object, connected: Connected) => void {
  const connect = buildConnector({});
  return (place, connected) =>
    connect(place as buildConnector.Options, (...result) => {
      const [error, socket] = result;
      if (error === null) passOverInterim(socket);
      connected(...result);
    });
}

function passOverInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  const nothing = Buffer.alloc(0);
  /** Bytes of an answer whose status line is incomplete, or of an interim answer that has not ended. */
  let held: Buffer = nothing;
  let isAnswerAwaited = false;

  socket.write = (...args: unknown[]) => {
    isAnswerAwaited = true;
    return write(...args);
  };
  socket.read = (size?: number) => {
    for (;;) {
      const chunk: Buffer | null = read(size);
      if (!isAnswerAwaited || chunk === null) return chunk;
      const { rest, isFinal } = dropInterim(held.byteLength === 0 ? chunk : Buffer.concat([held, chunk]));
      held = isFinal ? nothing : rest;
      if (!isFinal) continue;
      isAnswerAwaited = false;
      return rest;
    }
  };
}

/** Drops interim answers that have ended. @returns the rest, and whether the final answer begins with it */
function dropInterim(bytes: Buffer): { readonly rest: Buffer; readonly isFinal: boolean } {
  let rest = bytes;
  while (rest.byteLength >= statusLineBytes) {
    if (!interim.test(rest.toString('latin1', 0, statusLineBytes))) return { rest, isFinal: true };
    const end = rest.indexOf(headEnd);
    if (end < 0) return { rest, isFinal: rest.byteLength > headBytesMax };
    rest = rest.subarray(end + headEnd.length);
  }
  return { rest, isFinal: false };
}
