/** What went wrong with a request, as an operating error, whoever noticed it. */

import type { Log } from '@amends/coordinator';
import { AmendsError, isAmendsError } from '@amends/core';

/** Errors of the HTTP layer, by its own codes. */
const known: ReadonlyMap<unknown, (message: string) => AmendsError> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', () => new AmendsError('too_large', 'the body is larger than this server accepts; see limits')],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', () => new AmendsError('invalid_request', 'body: is not as long as Content-Length says')],
  ['FST_ERR_BAD_URL', (message: string) => new AmendsError('invalid_request', `path: ${message}`)],
]);

/** Turns what was thrown into an operating error; what nobody has foreseen is a bug, and logged. */
export function requestError(error: unknown, log: Log): AmendsError {
  if (isAmendsError(error)) return error;
  const { code, message = '', statusCode = 500 } = (error ?? {}) as { code?: unknown; message?: string; statusCode?: number };
  const make = known.get(code);
  if (make !== undefined) return make(message);
  if (statusCode >= 400 && statusCode < 500) return new AmendsError('invalid_request', message);
  log.error({ err: error }, 'request failed by a bug');
  return new AmendsError('internal', 'the server has failed; its log says more');
}
