/** What went wrong with a request over HTTP, as an operating error, whoever noticed it. */
import type { Log } from '@amends/coordinator';
import { AmendsError, type ErrorCode, isAmendsError } from '@amends/core';
import type { FastifyRequest } from 'fastify';
import { operatingError } from '../faces/thrown-error.ts';

/** A request as far as messages tell of it. */
export type AskedOverHttp = Pick<FastifyRequest, 'headers' | 'routeOptions'>;

/** Errors of the HTTP layer, by its own codes. */
const known: ReadonlyMap<unknown, (message: string, asked: AskedOverHttp) => AmendsError> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', (_message: string, asked: AskedOverHttp) => bodyTooLarge(asked)],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', () => fieldError('invalid_request', 'body', 'is not as long as Content-Length says')],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', (_message: string, asked: AskedOverHttp) => wrongMediaType(asked.headers['content-type'])],
  ['FST_ERR_BAD_URL', (message: string) => fieldError('invalid_request', 'path', message)],
  [
    'FST_ERR_MAX_PARAM_LENGTH',
    () => fieldError('invalid_request', 'path', `has a part of more than ${pathPartCharactersMax} characters`),
  ],
]);

/** A gid of 128 characters, each of them written as `%XX` of several bytes. */
export const pathPartCharactersMax = 2_048;

/** What was thrown while `asked` was answered, as an operating error; what nobody has foreseen is a bug, and logged. */
export function requestError(error: unknown, log: Log, asked: AskedOverHttp): AmendsError {
  if (isAmendsError(error)) return error;
  const { code, message = '', statusCode = 500 } = (error ?? {}) as { code?: unknown; message?: string; statusCode?: number };
  const make = known.get(code);
  if (make !== undefined) return make(message, asked);
  if (statusCode >= 400 && statusCode < 500) return new AmendsError('invalid_request', message);
  return operatingError(error, log);
}

/** The body says to be something else than JSON. */
export function wrongMediaType(type: string | undefined): AmendsError {
  return fieldError('unsupported_media_type', 'content-type', `is ${JSON.stringify(type)}; send application/json`);
}

function bodyTooLarge(asked: AskedOverHttp): AmendsError {
  const length = asked.headers['content-length'];
  const limit = `at most ${asked.routeOptions.bodyLimit} are taken`;
  return fieldError('too_large', 'body', `has ${length === undefined ? 'too many' : length} bytes, ${limit}`);
}

/** An operating error that one field is to blame for. */
export function fieldError(code: ErrorCode, field: string, message: string): AmendsError {
  return new AmendsError(code, [{ field, message }]);
}
