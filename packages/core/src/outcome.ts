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
  /**
   * Whether the participant's exchange is over. False for a time-out or a broken connection: the call may still be
   * running there, so nothing may be undone before its time is up.
   */
  readonly settled: boolean;
  /** Duration of the attempt. Milliseconds. */
  readonly durationMs: number;
}
