/** Calls that a transport does not make. */
import type { Exchange, Outcome } from '@amends/core';

/** The outcome of a call that is not made, which says why. */
export function leaveUnmade(code: string, detail: string, exchange: Exchange): Promise<Outcome> {
  return Promise.resolve({ class: 'unknown', code, detail, exchange, durationMs: 0 });
}
