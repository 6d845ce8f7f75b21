/** Notices that nobody waits for an answer any more. */
import type { FastifyReply } from 'fastify';

/**
 * Aborts when the caller's connection is gone before the answer. Fastify's `request.signal` aborts as soon as the body has
 * been read, or never. Not after an answer: nobody listens any more, and an abort costs more than parsing a request.
 */
export function callerGone({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
