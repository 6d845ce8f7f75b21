/** Whether anybody waits for an answer any more. */
import type { ServerResponse } from 'node:http';
import type { WaitSignal } from '@amends/coordinator';
import type { FastifyReply } from 'fastify';

/**
 * Tells when the caller's connection is gone. Who has heard enough takes its listener away before the answer is sent, whose end
 * looks the same. Fastify's `request.signal` aborts as soon as the body has been read, or never; a controller and its signal for
 * each request cost more than parsing it.
 */
export function watchCaller({ raw }: Pick<FastifyReply, 'raw'>): WaitSignal {
  return new Connection(raw);
}

/** A class because of `aborted`: an accessor in an object's literal takes all that belongs to it into the old generation. */
class Connection implements WaitSignal {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get aborted(): boolean {
    return this.#response.destroyed;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#response.once('close', listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#response.off('close', listener);
  }
}
