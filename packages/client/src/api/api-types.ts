/**
 * What the native API takes and gives, in the client's own words, so that it needs no schema library. A test of types keeps
 * them equal to the server's.
 */

/** Global status, in DTM's words. */
export type Status = 'prepared' | 'submitted' | 'aborting' | 'succeed' | 'failed';
/** What a step is to the whole: it can be undone, is the point of no return, or comes after it. */
export type StepKind = 'compensatable' | 'pivot' | 'retriable';
/** What is called on a branch. `msg` asks whether a message's local transaction was committed, `resume` runs a workflow again. */
export type Op = 'action' | 'compensate' | 'confirm' | 'cancel' | 'commit' | 'rollback' | 'msg' | 'resume';
/** Kinds of global transactions. */
export type Mode = 'saga' | 'msg' | 'tcc' | 'xa' | 'workflow';

/** How attempts follow each other while there is no verdict. */
export interface RetryPolicy {
  /** The same pause each time, or doubling pauses (default). */
  readonly kind?: 'fixed' | 'exponential' | undefined;
  /** Pause before the second attempt. Milliseconds. */
  readonly delayMs?: number | undefined;
  /** Longest pause. Milliseconds. */
  readonly delayMsMax?: number | undefined;
  /** Attempts after which the policy ends; null (default): it never does. */
  readonly attemptsMax?: number | null | undefined;
  /** At the end undo the transaction where that is allowed, or hold it until a human acts. */
  readonly atEnd?: 'roll-back' | 'hold' | undefined;
}

/**
 * Stands, anywhere in a payload of a saga, for a part of the answer which an earlier step kept; in the payload of a
 * compensation also for that of its own action.
 */
export interface AnswerReference {
  /** Name of the step. */
  readonly $from: string;
  /** Where in its answer: `$.name.name[0]`; default `$`, all of it. */
  readonly path?: string;
}

/** One step in the body that begins a saga. */
export interface NewStep {
  /** The name by which payloads refer to its answer; unique within the saga. */
  readonly name?: string | undefined;
  /** Keep the answer of the action, at most 64 KiB of JSON. */
  readonly keepAnswer?: boolean | undefined;
  readonly action: string;
  readonly compensate?: string | undefined;
  readonly kind?: StepKind | undefined;
  readonly payload?: unknown;
  /** Body of the compensation instead of `payload`. */
  readonly compensatePayload?: unknown;
  readonly timeoutMs?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly compensateRetry?: RetryPolicy | undefined;
  readonly after?: readonly number[] | undefined;
}

/** The body that begins a saga. */
export interface NewSaga {
  readonly gid?: string | undefined;
  readonly mode: 'saga';
  readonly steps: readonly NewStep[];
  readonly concurrent?: boolean | undefined;
  readonly timeoutMs?: number | null | undefined;
  readonly alarmAfterMs?: number | null | undefined;
  /** false: each step is stored before the next one is called. Default true. */
  readonly runAhead?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** One delivery of a message. */
export interface NewDelivery {
  /** Where to, or `topic://NAME`: to each of its subscribers. */
  readonly action: string;
  readonly payload?: unknown;
}

/** The body that begins a two-phase message, or announces it. */
export interface NewMessage {
  readonly gid?: string | undefined;
  readonly mode: 'msg';
  /** true: nothing is delivered before it is submitted, or `queryUrl` says that the local transaction was committed. */
  readonly prepare?: boolean | undefined;
  readonly steps: readonly NewDelivery[];
  readonly concurrent?: boolean | undefined;
  /** Address that says whether the local transaction was committed. */
  readonly queryUrl?: string | undefined;
  /** Time after which a message that is still prepared is asked about. Milliseconds. */
  readonly askAfterMs?: number | undefined;
  /** Time after its creation before which nothing is delivered. Milliseconds. */
  readonly delayMs?: number | undefined;
  /** Moment before which nothing is delivered. ISO 8601 with a time zone. */
  readonly notBefore?: string | null | undefined;
  readonly callTimeoutMs?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** After so long an alarm is raised if it is not finished; null: never. Milliseconds. */
  readonly alarmAfterMs?: number | null | undefined;
  /** false: each step is stored before the next one is called. Default true. */
  readonly runAhead?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

interface NewTwoPhase {
  readonly gid?: string | undefined;
  readonly prepare?: true | undefined;
  /** Time after which it is rolled back when it has been neither submitted nor aborted. Milliseconds. */
  readonly timeoutMs?: number | undefined;
  readonly callTimeoutMs?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** After so long an alarm is raised if it is not finished; null: never. Milliseconds. */
  readonly alarmAfterMs?: number | null | undefined;
  /** false: each step is stored before the next one is called. Default true. */
  readonly runAhead?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The body that announces a tcc. */
export interface NewTcc extends NewTwoPhase {
  readonly mode: 'tcc';
}

/** The body that announces an xa. */
export interface NewXa extends NewTwoPhase {
  readonly mode: 'xa';
}

/** The body that begins a workflow. */
export interface NewWorkflow {
  readonly gid?: string | undefined;
  readonly mode: 'workflow';
  readonly prepare?: true | undefined;
  /** Name of the function. */
  readonly name: string;
  readonly input?: unknown;
  /** Address that has the function run again. */
  readonly resumeUrl?: string | undefined;
  /** How long nothing may be heard of it before it is run again. Milliseconds. */
  readonly resumeAfterMs?: number | undefined;
  readonly callTimeoutMs?: number | undefined;
  /** After so long an alarm is raised if it is not finished; null: never. Milliseconds. */
  readonly alarmAfterMs?: number | null | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The body that begins a transaction. */
export type NewTransaction = NewSaga | NewMessage | NewTcc | NewXa | NewWorkflow;

/** The body that registers a participant, or records a step of a workflow. */
export type NewBranch =
  | {
      readonly mode: 'tcc';
      readonly branchId: string;
      readonly confirm: string;
      readonly cancel: string;
      readonly payload?: unknown;
    }
  | { readonly mode: 'xa'; readonly branchId: string; readonly url: string; readonly payload?: unknown }
  | {
      readonly mode: 'workflow';
      readonly branchId: string;
      readonly op?: string | undefined;
      readonly status: 'succeed' | 'failed';
      readonly result?: unknown;
    };

/** How the function of a workflow ended. */
export interface Conclusion {
  readonly status: 'succeed' | 'failed';
  readonly reason?: string | undefined;
  readonly result?: unknown;
}

/** A subscription to a topic. */
export interface NewSubscription {
  readonly url: string;
  readonly remark?: string | undefined;
}

/** A topic and who subscribes to it. */
export interface Topic {
  readonly topic: string;
  /** Grows with every change, also over a deletion. */
  readonly version: number;
  readonly subscribers: readonly { readonly url: string; readonly remark: string }[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** All topics, by name. */
export interface TopicList {
  readonly topics: readonly Topic[];
}

/** The bytes of an answer or of a record. */
export interface Bytes {
  /** base64 where the bytes are no text. */
  readonly encoding: 'utf8' | 'base64';
  readonly text: string;
}

/** One op of a branch and how far it is. */
export interface BranchCall {
  readonly op: Op;
  /** Empty: nothing to call. */
  readonly url: string;
  /**
   * `given-up`: it is called again only when a human says so; `dropped`: it had no verdict when the transaction finished, and is
   * not called again.
   */
  readonly at: 'idle' | 'running' | 'waiting' | 'given-up' | 'succeed' | 'failed' | 'dropped';
  /** Calls begun so far. */
  readonly attempts: number;
  /** When waiting: the next attempt. ISO 8601. */
  readonly dueAt?: string | undefined;
}

/** A branch as it is now: a step, a registered participant, or `00`, the question of a message or the resuming of a workflow. */
export interface Branch {
  /** `01`, `02`, … */
  readonly branchId: string;
  /** The name by which payloads of a saga refer to its answer; null: it has none. */
  readonly name: string | null;
  /** Of steps of sagas; null elsewhere. */
  readonly kind: StepKind | null;
  /** Branch ids of the steps of a saga that come before. */
  readonly after: readonly string[];
  /** Forward first, then backward where the mode has it. */
  readonly calls: readonly BranchCall[];
  /** The answer of its action, where a saga keeps it; null: there is none yet, or it is not kept. */
  readonly answer: Bytes | null;
}

/** A step that a workflow has recorded. */
export interface Progress {
  readonly branchId: string;
  readonly op: string;
  readonly status: 'succeed' | 'failed';
  readonly result: Bytes | null;
}

/** Why nothing is called until a human acts. */
export interface Hold {
  readonly code: string;
  /** The branch whose call it is for; left out: for none, as when the transaction is `unreadable`. */
  readonly branchId?: string | undefined;
  readonly op?: Op | undefined;
}

/** A transaction as it travels; users see it as `Transaction`. Moments are ISO 8601 in UTC. */
export interface TransactionBody {
  readonly gid: string;
  readonly mode: Mode;
  readonly status: Status;
  readonly outcome: 'running' | 'succeeded' | 'failed';
  /** Why nothing is called until a human acts; null: it goes on by itself. */
  readonly hold: Hold | null;
  /** The durable choice of its end; null: still open. */
  readonly decision: {
    readonly direction: 'commit' | 'roll-back' | 'terminate';
    readonly seq: number;
    readonly actor: string;
  } | null;
  /** Why it is rolled back or terminated; empty: it is not. */
  readonly reason: string;
  /** Grows with every change; `terminate` and `retry` can insist on it. */
  readonly version: number;
  /** Grows with every change of owner. */
  readonly epoch: number;
  readonly owner: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly finishedAt: string | null;
  /** When its alarm was due, once that has been raised; null: not raised. */
  readonly overdueSince: string | null;
  /** When it is looked at next. */
  readonly wakeAt: string | null;
  readonly branches: readonly Branch[];
  /** What a workflow was begun with; null in other modes. */
  readonly workflow: { readonly name: string; readonly input: Bytes | null } | null;
  /** Steps that a workflow has recorded. */
  readonly progress: readonly Progress[];
  /** What a workflow has returned; null: nothing yet. */
  readonly result: Bytes | null;
}

type Ended<Outcome extends TransactionBody['outcome'], As extends Status> = Omit<
  TransactionBody,
  'outcome' | 'status' | 'finishedAt'
> & {
  readonly outcome: Outcome;
  readonly status: As;
  readonly finishedAt: string;
};

/** Every step is done. */
export type SucceededTransaction = Ended<'succeeded', 'succeed'>;
/** It was rolled back as a whole, or terminated as it stood; `reason` says why. */
export type FailedTransaction = Ended<'failed', 'failed'>;
/** It has not ended yet. With a `hold` it does not go on before a human acts. */
export type RunningTransaction = Omit<TransactionBody, 'outcome' | 'status' | 'finishedAt'> & {
  readonly outcome: 'running';
  readonly status: 'prepared' | 'submitted' | 'aborting';
  readonly finishedAt: null;
};
/** A transaction with its branches; `outcome` tells which of the three it is. */
export type Transaction = SucceededTransaction | FailedTransaction | RunningTransaction;

/** A transaction as lists show it. */
export interface TransactionSummary {
  readonly gid: string;
  readonly mode: string;
  readonly status: Status;
  readonly outcome: 'running' | 'succeeded' | 'failed';
  /** Code of the hold. */
  readonly hold: string | null;
  readonly reason: string;
  readonly version: number;
  readonly owner: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly finishedAt: string | null;
  /** When its alarm was due, once that has been raised; null: not raised. */
  readonly overdueSince: string | null;
  readonly dueAt: string | null;
  /** Host of the participant it waits for because of an error; empty: none. */
  readonly waitsFor: string;
  /** Last error as host, op and code; equal for equal errors. */
  readonly errorPrint: string;
}

/** One page of a list. */
export interface TransactionList {
  readonly transactions: readonly TransactionSummary[];
  /** Cursor of the next page; null: this was the last. */
  readonly next: string | null;
}

/** One thing that happened to a transaction. */
export interface HistoryEntry {
  /** Position in the history, from 1. */
  readonly seq: number;
  readonly at: string;
  readonly kind:
    | 'prepared'
    | 'submitted'
    | 'aborted'
    | 'registered'
    | 'concluded'
    | 'answered'
    | 'interrupted'
    | 'uncertain'
    | 'refused'
    | 'timed-out'
    | 'overdue'
    | 'held'
    | 'settled'
    | 'terminated'
    | 'retried';
  /** Status after it. */
  readonly status: Status;
  readonly branchId: string | null;
  readonly op: Op | null;
  readonly attempt: number | null;
  readonly outcome: 'success' | 'failure' | 'ongoing' | 'unknown' | null;
  readonly code: string | null;
  readonly durationMs: number | null;
  readonly detail: string | null;
  readonly actor: string | null;
  /** On the first row: the trace of the request that began it. */
  readonly traceId: string | null;
}

/** A page of a history. */
export interface History {
  readonly entries: readonly HistoryEntry[];
}

/** Something that was done by hand. */
export interface AuditEntry {
  /** Grows with each row. */
  readonly id: number;
  readonly at: string;
  /** null: it was about no transaction. */
  readonly gid: string | null;
  readonly actor: string;
  /** Such as terminate, retry, subscribe, delete-topic. */
  readonly verb: string;
  readonly reason: string;
  /** What else is known. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One page of the audit. */
export interface Audit {
  readonly entries: readonly AuditEntry[];
  /** Cursor of the next page; null: this was the last. */
  readonly next: string | null;
}

/** How the server is. */
export interface Health {
  readonly state: 'starting' | 'running' | 'paused' | 'stopping' | 'stopped';
  /** Why it is paused, or why the store does not answer; empty otherwise. */
  readonly reason: string;
  readonly store: {
    readonly latencyMs: number;
    readonly facts: Readonly<Record<string, string | number>>;
  } | null;
  readonly nodes: readonly {
    readonly node: string;
    readonly name: string;
    readonly startedAt: string;
    readonly aliveUntil: string;
  }[];
  /** Transactions in memory. */
  readonly live: number;
  /** Calls in flight. */
  readonly calling: number;
  /** Transactions that wait for a place at a participant host, counted once for each host. */
  readonly waiting: number;
  /** Changes that wait for their commit. */
  readonly uncommitted: number;
}

/** The limits that hold, by name; each name ends in its unit. */
export type Limits = Readonly<Record<string, number>>;

/** Codes of the server's problem documents. */
export type ServerErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'topic_not_found'
  | 'conflict'
  | 'version_conflict'
  | 'wrong_status'
  | 'already_finished'
  | 'too_large'
  | 'unsupported_media_type'
  | 'expectation_failed'
  | 'value_refused'
  | 'headers_too_large'
  | 'not_implemented'
  | 'overloaded'
  | 'stopping'
  | 'store_unavailable'
  | 'store_refused'
  | 'internal';

/** A field of a request that is wrong. */
export interface FieldError {
  /** Such as `steps[0].action`. */
  readonly field: string;
  readonly message: string;
}

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ServerErrorCode;
  /** The fields that are to blame, each with what is wrong. */
  readonly issues?: readonly FieldError[] | undefined;
  /** The same, under its first name. */
  readonly errors?: readonly FieldError[] | undefined;
}
