/**
 * What a global transaction was asked to do. A spec is written once, with the transaction, and never changes.
 * It is made by `wire` from a request that has been checked; `saga-spec.ts` holds the rules between its fields.
 */
import type { RetryPolicy } from './retry.ts';
import type { Trace } from './trace.ts';

/** Modes of global transactions. */
export type Mode = 'saga';

/**
 * What may happen to a step once it has run: `compensatable` can be undone; the one `pivot` cannot, and once it has
 * succeeded the saga only goes forward; `retriable` comes after that point and is tried until it succeeds.
 */
export type StepKind = 'compensatable' | 'pivot' | 'retriable';

/** One step of a saga: a branch of the transaction. */
export interface SagaStep {
  readonly kind: StepKind;
  /** URL of the forward call; empty: nothing to call, succeeds at once. */
  readonly action: string;
  /** URL that undoes it; empty: nothing to undo. Always empty unless `compensatable`. */
  readonly compensate: string;
  /** Time for one call, answer included. Milliseconds. */
  readonly timeoutMs: number;
  readonly actionRetry: RetryPolicy;
  readonly compensateRetry: RetryPolicy;
  /** Indexes (from 0) of the steps that must have succeeded before this one starts. */
  readonly after: readonly number[];
}

/** A saga: steps, done in the order of `after`, undone in the reverse. */
export interface SagaSpec {
  readonly mode: 'saga';
  readonly steps: readonly SagaStep[];
  /** Body of each step's calls, by step index; stored and sent byte for byte. */
  readonly payloads: readonly Uint8Array[];
  /** Time after creation at which an undecided saga is rolled back; null: never. Milliseconds. */
  readonly timeoutMs: number | null;
  /** Reason recorded when that happens. */
  readonly timeoutReason: string;
  /** Time after creation at which an alarm is raised if it is not finished; nothing else follows. null: never. Milliseconds. */
  readonly alarmAfterMs: number | null;
  /** Sent with every branch call. */
  readonly headers: Readonly<Record<string, string>>;
  /** How the outcomes are worded and calls are made: natively or as DTM does. */
  readonly face: Face;
  /** The trace of the request that submitted it; null: none. A repeated request of another trace is the same saga. */
  readonly trace: Trace | null;
  /** What the face needs to show the request again as it came; core does not look inside. */
  readonly presentation: Readonly<Record<string, unknown>>;
}

/** The protocol family a transaction was submitted by. */
export type Face = 'native' | 'dtm';

/** The spec of any mode. */
export type Spec = SagaSpec;
