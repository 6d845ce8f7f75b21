/** The trace that a request belongs to. */
import { parseTrace, type Trace } from '@amends/core';
import type { FastifyRequest } from 'fastify';

/** By its header `traceparent`; null when there is none, several, or one that is not valid. */
export function traceOfRequest({ headers }: FastifyRequest): Trace | null {
  const { traceparent } = headers;
  return parseTrace(typeof traceparent === 'string' ? traceparent : null);
}
