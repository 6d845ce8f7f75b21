/** Whether anybody waits for an answer any more. */
import type { WaitSignal } from '@amends/coordinator';
import type { FastifyReply } from 'fastify';

/**
 * Tells when the caller's connection is gone. Who has heard enough takes its listener away before the answer is sent, whose end
 * looks the same. Fastify's `request.signal` aborts as soon as the body has been read, or never; a controller and its signal for
 * each request cost more than parsing it.
 */
export function callerOf({ raw }: Pick<FastifyReply, 'raw'>): WaitSignal {
  return {
    get aborted() {
      return raw.destroyed;
    },
    addEventListener: (_type, listener) => void raw.once('close', listener),
    removeEventListener: (_type, listener) => void raw.off('close', listener),
  };
}
