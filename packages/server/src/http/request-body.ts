/** The JSON body of a request. */
import { parseJsonBody } from '@amends/wire';
import type { FastifyRequest } from 'fastify';
import { fieldError, wrongMediaType } from './request-error.ts';

const json = /^application\/([\w.-]+\+)?json(-rpc)?\s*(;|$)/i;
const nothing = new Uint8Array(0);

/**
 * The body as bytes.
 * @throws AmendsError `unsupported_media_type` when it says to be something else than JSON, or to be encoded
 */
export function bodyBytes({ headers, body }: FastifyRequest): Uint8Array {
  const { 'content-type': type, 'content-encoding': encoding } = headers;
  if (type !== undefined && !json.test(type)) throw wrongMediaType(type);
  if (encoding !== undefined && !/^(identity)?$/i.test(encoding))
    throw fieldError('unsupported_media_type', 'content-encoding', `is ${JSON.stringify(encoding)}; send the body as it is`);
  return body instanceof Uint8Array ? body : nothing;
}

/**
 * Parses the body.
 * @throws AmendsError `unsupported_media_type` when it says to be something else, `invalid_request` when it is not JSON
 */
export function jsonBody(request: FastifyRequest): unknown {
  return parseJsonBody(bodyBytes(request));
}
