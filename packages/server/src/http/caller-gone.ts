/** Notices that nobody waits for an answer any more. */
import type { FastifyReply } from 'fastify';

/**
 * Aborts when the caller's connection is gone, or when the answer has been sent. Fastify's `request.signal` aborts as soon
 * as the body has been read, or never.
 */
export function callerGone({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  return gone.signal;
}
