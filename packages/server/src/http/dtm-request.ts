/** A request over HTTP, as DTM's operations take it. */
import { actorOf, type DtmBody } from '@amends/wire';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DtmRequest } from '../dtm/operation.ts';
import { callerOf } from './caller.ts';
import { traceOfRequest } from './request-trace.ts';

/** @param body reads what the request carries */
export function dtmRequest(request: FastifyRequest, reply: FastifyReply, body: () => DtmBody): DtmRequest {
  return {
    body,
    trace: () => traceOfRequest(request),
    actor: () => actorOf(request.headers['x-amends-actor']),
    get caller() {
      return callerOf(reply);
    },
  };
}
