/** The JSON body of a request. */
import { AmendsError } from '@amends/core';
import { parseJsonBody } from '@amends/wire';
import type { FastifyRequest } from 'fastify';

const json = /^application\/([\w.-]+\+)?json\s*(;|$)/i;
const nothing = new Uint8Array(0);

/**
 * Parses the body.
 * @throws AmendsError `unsupported_media_type` when it says to be something else, `invalid_request` when it is not JSON
 */
export function jsonBody({ headers, body }: FastifyRequest): unknown {
  const type = headers['content-type'];
  if (type !== undefined && !json.test(type))
    throw new AmendsError('unsupported_media_type', `content-type is ${JSON.stringify(type)}; send application/json`);
  return parseJsonBody(body instanceof Uint8Array ? body : nothing);
}
