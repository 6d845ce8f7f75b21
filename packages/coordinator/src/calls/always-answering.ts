/** A call always has an outcome: what a transport throws or rejects with becomes one, instead of ending the process. */
import type { Outcome } from '@amends/core';
import type { BranchCall, Log } from '../ports/ports.ts';

/**
 * The outcome of what `make` does.
 * @param make calls a participant; may be anybody's code
 * @returns its outcome; when it fails, `unknown` and `broken`, because nobody knows how far it came
 */
export async function alwaysAnswered(
  make: () => Promise<Outcome>,
  { gid, log }: Pick<BranchCall, 'gid'> & { log: Log },
): Promise<Outcome> {
  try {
    return await make();
  } catch (error) {
    log.error({ gid, err: error }, 'a call of a participant failed inside the coordinator');
    const detail = `the call failed inside the coordinator: ${error instanceof Error ? error.message : String(error)}`;
    return { class: 'unknown', code: 'internal', detail, exchange: 'broken', durationMs: 0 };
  }
}
