/**
 * What a global transaction was asked to do. A spec is written once, with the transaction, and never changes.
 * It is made by `wire` from a request that has been checked; `saga-spec.ts` holds the rules between its fields.
 */
import type { BranchId, EpochMs } from '../words/ids.ts';
import type { RetryPolicy } from '../words/retry.ts';
import type { Trace } from '../words/trace.ts';
import type { PayloadTemplate } from './payload-template.ts';

/** Modes of global transactions. */
export const modes = ['saga', 'msg', 'tcc', 'xa', 'workflow'] as const;

export type Mode = (typeof modes)[number];

/** How participants are called when their URL does not say so itself. */
export type Protocol = 'http' | 'grpc' | 'json-rpc';

/**
 * What may happen to a step once it has run: `compensatable` can be undone; the one `pivot` cannot, and once it has
 * succeeded the saga only goes forward; `retriable` comes after that point and is tried until it succeeds.
 */
export type StepKind = 'compensatable' | 'pivot' | 'retriable';

/** One step of a saga: a branch of the transaction. */
export interface SagaStep {
  readonly kind: StepKind;
  /** Name by which payloads of other steps refer to this one; left out: none can. Unique within the saga. */
  readonly name?: string;
  /** Keep its answer for the payloads of later steps and of compensations. */
  readonly keepAnswer?: true;
  /** URL of the forward call; empty: nothing to call, succeeds at once. */
  readonly action: string;
  /** Index in `payloads` of the body of the compensation; left out: the one of the action. */
  readonly compensatePayload?: number;
  /** URL that undoes it; empty: nothing to undo. Always empty unless `compensatable`. */
  readonly compensate: string;
  /** Time for one call, answer included. Milliseconds. */
  readonly timeoutMs: number;
  readonly actionRetry: RetryPolicy;
  readonly compensateRetry: RetryPolicy;
  /** Indexes (from 0) of the steps that must have succeeded before this one starts. */
  readonly after: readonly number[];
}

/** What the specs of all modes have. */
interface AnySpec {
  /** Bodies of calls; stored and sent byte for byte. Which is whose, each mode says. */
  readonly payloads: readonly Uint8Array[];
  /** Sent with every branch call. */
  readonly headers: Readonly<Record<string, string>>;
  /** How the outcomes are worded and calls are made: natively or as DTM does. */
  readonly face: Face;
  /** Left out: http. */
  readonly protocol?: Protocol;
  /**
   * Each step is committed before the next one is called. Left out: whoever drives the transaction may run ahead of its commits,
   * as `modes/run-ahead.ts` says.
   */
  readonly runAhead?: false;
  /** Time after creation at which an alarm is raised if it is not finished; nothing else follows. null: never. Milliseconds. */
  readonly alarmAfterMs: number | null;
  /** The trace of the request that began it; null: none. A repeated request of another trace asks for the same. */
  readonly trace: Trace | null;
  /** What the face needs to show the request again as it came; core does not look inside. */
  readonly presentation: Readonly<Record<string, unknown>>;
}

/**
 * A saga: steps, done in the order of `after`, undone in the reverse. `payloads` by step index, and after them those of
 * compensations that have their own.
 */
export interface SagaSpec extends AnySpec {
  readonly mode: 'saga';
  readonly steps: readonly SagaStep[];
  /**
   * Payloads that refer to kept answers, in place of the `payloads` of the same index; null: it refers to none. Left out: none
   * do.
   */
  readonly templates?: readonly (PayloadTemplate | null)[];
  /** Time after creation at which an undecided saga is rolled back; null: never. Milliseconds. */
  readonly timeoutMs: number | null;
  /** Reason recorded when that happens. */
  readonly timeoutReason: string;
}

/** One delivery of a message. */
export interface MsgStep {
  /** `01`, `02`, …; of a topic with several subscribers `01-01`, `01-02`, … */
  readonly branchId: BranchId;
  /** URL to deliver to; empty: nothing to call. */
  readonly action: string;
}

/** A two-phase message: delivered once its local transaction is known to be committed. `payloads` by step index. */
export interface MsgSpec extends AnySpec {
  readonly mode: 'msg';
  readonly steps: readonly MsgStep[];
  /** URL that knows whether the local transaction was committed; empty: nobody does. */
  readonly query: string;
  /** Time after creation at which it is asked. Milliseconds. */
  readonly askAfterMs: number;
  /** Time after creation before which nothing is delivered. Milliseconds. */
  readonly delayMs: number;
  /** Moment before which nothing is delivered; null: none. */
  readonly notBefore: EpochMs | null;
  /** Deliver all steps at once. */
  readonly concurrent: boolean;
  readonly callTimeoutMs: number;
  readonly retry: RetryPolicy;
}

interface PhasedSpec extends AnySpec {
  /** Time after creation at which a transaction that is still prepared is rolled back. Milliseconds. */
  readonly timeoutMs: number;
  readonly timeoutReason: string;
  readonly callTimeoutMs: number;
  readonly retry: RetryPolicy;
}

/** Try, confirm, cancel: the application tries, the branches it registered are confirmed or cancelled. No payloads. */
export interface TccSpec extends PhasedSpec {
  readonly mode: 'tcc';
}

/** XA: participants have prepared, the branches they registered are committed or rolled back. No payloads. */
export interface XaSpec extends PhasedSpec {
  readonly mode: 'xa';
}

/** A function of the application whose steps are recorded. One payload: the function's input. */
export interface WorkflowSpec extends AnySpec {
  readonly mode: 'workflow';
  /** Name of the function. */
  readonly name: string;
  /** URL that has it run again; empty: nobody does. */
  readonly resume: string;
  readonly callTimeoutMs: number;
  /** How long it may be silent before it is run again. */
  readonly retry: RetryPolicy;
}

/** The protocol family a transaction was submitted by. */
export type Face = 'native' | 'dtm';

/** The spec of any mode. */
export type Spec = SagaSpec | MsgSpec | TccSpec | XaSpec | WorkflowSpec;
