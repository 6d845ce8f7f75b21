/** The verdict on one call of a participant. A closed set of classes; everything else about the answer is evidence. */

/**
 * - `success`: done. - `failure`: refused by a business rule, nothing done.
 * - `ongoing`: accepted, not finished; ask again.
 * - `unknown`: no verdict (no connection, time-out, 5xx): it may have happened or not.
 */
export type OutcomeClass = 'success' | 'failure' | 'ongoing' | 'unknown';

/** What came of one attempt. */
export interface Outcome {
  readonly class: OutcomeClass;
  /** Closed vocabulary for machines: `http_200`, `timeout`, `connect_refused`, … */
  readonly code: string;
  /** What the participant said, capped; for people. */
  readonly detail: string;
  readonly exchange: Exchange;
  /** The whole answer, where the step keeps it. */
  readonly kept?: Uint8Array;
  /** Duration of the attempt. Milliseconds. */
  readonly durationMs: number;
}

/**
 * How far the exchange with the participant came, which decides when it is safe to undo:
 * - `unsent`: it never left (its turn did not come in time); does not count as an attempt for the policy.
 * - `forbidden`: its address may not be called: the participant has not seen it, and without a human it never will.
 * - `refused`: no connection: the participant has not seen it.
 * - `answered`: the participant has answered, so it no longer works on it.
 * - `broken`: time-out or lost connection: it may still be running there until the attempt's time is up.
 */
export type Exchange = 'unsent' | 'forbidden' | 'refused' | 'answered' | 'broken';
