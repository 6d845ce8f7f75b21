/** The append-only story of a transaction: one row per event, the console's timeline and the engineer's evidence. */
import type { BranchId, EpochMs } from '../words/ids.ts';
import type { Op } from '../words/op.ts';
import type { OutcomeClass } from '../words/outcome.ts';
import type { Status } from './transaction.ts';

/** What a history row tells. */
export type HistoryKind =
  /** The transaction was announced: nothing is done yet. */
  | 'prepared'
  /** It shall be done. */
  | 'submitted'
  /** What was announced shall not be done. */
  | 'aborted'
  /** A branch joined, or a workflow recorded a step. */
  | 'registered'
  /** A workflow's function came to its end. */
  | 'concluded'
  /** An attempt ended with `outcome`. */
  | 'answered'
  /** An attempt was under way when its coordinator died; its answer is lost. */
  | 'interrupted'
  /** Its coordinator died, and may have called these ops before it could say so. */
  | 'uncertain'
  /** A step could not be called: its payload refers to an answer that is not there. */
  | 'refused'
  /** Rolled back because its time was up. */
  | 'timed-out'
  /** It was not finished when its alarm was due. */
  | 'overdue'
  /** Its retries are used up; it waits for a human. */
  | 'held'
  /** The last thing it waited for was over, without an answer of its own. */
  | 'settled'
  /** A human ended it as it stood. */
  | 'terminated'
  /** A human asked for another attempt at once. */
  | 'retried';

/** One row. Fields that do not apply are null. */
export interface HistoryEntry {
  /** From 1, without gaps, within the transaction. */
  readonly seq: number;
  readonly at: EpochMs;
  readonly kind: HistoryKind;
  /** Global status after it. */
  readonly status: Status;
  readonly branchId: BranchId | null;
  readonly op: Op | null;
  readonly attempt: number | null;
  readonly outcome: OutcomeClass | null;
  /** Code of the outcome or of the hold. */
  readonly code: string | null;
  readonly durationMs: number | null;
  /** What the participant, the policy or the human said. */
  readonly detail: string | null;
  /** The person or service that intervened. */
  readonly actor: string | null;
  /** On the first row: the trace of the request that submitted it. */
  readonly traceId: string | null;
}
