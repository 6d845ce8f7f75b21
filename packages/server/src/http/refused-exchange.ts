/** Requests that end before they are any: what Node's parser does not take, or what is not complete in time. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AmendsError, limits } from '@amends/core';
import { retryAfterSeconds } from '@amends/wire';
import { problemBody, problemContentType } from '@amends/wire/native';

/** How long a refused caller may go on sending: a connection that is cut before that loses the answer. Milliseconds. */
const lastWordsMs = 1_000;

/** Answers on the connection itself, and closes it. */
export function answerRefused(error: NodeJS.ErrnoException, socket: Socket): void {
  // What comes after the refused part is refused again.
  if (socket.writableEnded) return;
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  socket.end(answerOf(refusalOf(error)));
  setTimeout(() => socket.destroy(), lastWordsMs).unref();
}

function answerOf(error: AmendsError): string {
  const problem = problemBody(error);
  const body = JSON.stringify(problem);
  const seconds = retryAfterSeconds(error);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${problemContentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(seconds === null ? [] : [`retry-after: ${seconds}`]),
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

function refusalOf({ code, message, reason = message }: NodeJS.ErrnoException & { readonly reason?: string }): AmendsError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AmendsError(
        'headers_too_large',
        `the address and the headers have more than ${limits.requestHeadBytesMax} bytes together, the most that is taken`,
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AmendsError('request_timeout', `the request was not complete within ${limits.requestMsMax} ms`);
    default:
      return new AmendsError('invalid_request', `the request is not valid HTTP/1.1: ${reason}`);
  }
}
