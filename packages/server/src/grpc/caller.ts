/** Whether anybody waits for the reply any more. */
import type { WaitSignal } from '@amends/coordinator';

/** A call as far as it matters here. */
interface Cancellable {
  readonly cancelled: boolean;
  on(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

/** Tells when the caller has cancelled, or its deadline is over. */
export function watchCaller(call: Cancellable): WaitSignal {
  return new Caller(call);
}

/** A class for the reason that the one of HTTP is one. */
class Caller implements WaitSignal {
  readonly #call: Cancellable;

  constructor(call: Cancellable) {
    this.#call = call;
  }

  get aborted(): boolean {
    return this.#call.cancelled;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#call.on('cancelled', listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#call.off('cancelled', listener);
  }
}
