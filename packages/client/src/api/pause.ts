/** Pauses that their caller can give up. */
import { setTimeout } from 'node:timers/promises';
import { AmendsClientError } from './client-error.ts';

/** The caller of a request. */
export interface Caller {
  /** The transaction that the request is about. */
  readonly gid?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Waits. @throws AmendsClientError `aborted` when the caller's signal does */
export async function pause(ms: number, caller: Caller): Promise<void> {
  try {
    await setTimeout(ms, undefined, caller.signal === undefined ? {} : { signal: caller.signal });
  } catch {
    throw abortedError(caller);
  }
}

/** Makes the error of a request that its caller has given up. */
export function abortedError({ gid, signal }: Caller): AmendsClientError {
  return new AmendsClientError('aborted', 'the caller gave up', { gid, cause: signal?.reason });
}
