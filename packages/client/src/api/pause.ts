/** Waiting that can be given up. */
import { setTimeout } from 'node:timers/promises';
import { AmendsClientError } from './client-error.ts';

/** On whose behalf something takes time. */
export interface OnBehalf {
  /** The transaction it is about. */
  readonly gid?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Waits. @throws AmendsClientError `aborted` */
export async function pause(ms: number, by: OnBehalf): Promise<void> {
  try {
    await setTimeout(ms, undefined, by.signal === undefined ? {} : { signal: by.signal });
  } catch {
    throw abortedError(by);
  }
}

/** The error of what its caller has given up. */
export function abortedError({ gid, signal }: OnBehalf): AmendsClientError {
  return new AmendsClientError('aborted', 'the caller gave up', { gid, cause: signal?.reason });
}
