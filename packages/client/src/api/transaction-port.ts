/** What the modes beyond the saga ask of a coordinator. Every request may be repeated when its answer is lost. */

/** Modes whose transaction is prepared first, and submitted or aborted by its application. */
export type PreparedMode = 'tcc' | 'xa' | 'msg';

/** What holds for a whole transaction. */
export interface TransactionOptions {
  /**
   * Undecided after this time it is rolled back; a message's application is asked then. Milliseconds; default 60 s, of a message
   * 30 s.
   */
  readonly timeoutMs?: number;
  /** Time for one call of the coordinator, answer included. Milliseconds; default 10 s. */
  readonly callTimeoutMs?: number;
  /**
   * Pause before a call is tried again; it doubles. Before a silent workflow runs again; that does not. Milliseconds;
   * default 1 s, of a workflow 10 s.
   */
  readonly retryDelayMs?: number;
  /** Added to every call. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A transaction as it is prepared, and submitted: the same both times. */
export interface Preparation {
  readonly gid: string;
  readonly mode: PreparedMode;
  readonly options: TransactionOptions;
  /** Of a message: who receives it. */
  readonly message?: {
    readonly steps: readonly { readonly action: string; readonly payload: unknown }[];
    /** Address that tells whether the local transaction was committed; empty: it is submitted without one. */
    readonly queryPrepared: string;
    readonly delayMs: number;
  };
}

/** A branch as its application, or its participant, makes it known. */
export type NewBranch = { readonly gid: string; readonly branchId: string } & (
  | { readonly mode: 'tcc'; readonly confirm: string; readonly cancel: string; readonly payload: unknown }
  | { readonly mode: 'xa'; readonly url: string }
  | ({ readonly mode: 'workflow' } & Pick<RecordedStep, 'op' | 'status' | 'data'>)
);

/** A workflow as it begins, and each time it goes on: the same every time. */
export interface WorkflowStart {
  readonly gid: string;
  readonly name: string;
  /** JSON. */
  readonly input: string;
  /** Address that runs it again. */
  readonly resume: string;
  readonly options: TransactionOptions;
}

/** What a workflow has recorded. */
export interface RecordedStep {
  readonly branchId: string;
  readonly op: string;
  readonly status: 'succeed' | 'failed';
  readonly data: string;
}

/** A workflow as it stands. */
export interface WorkflowState {
  readonly status: string;
  readonly reason: string;
  /** As it was begun with. */
  readonly name: string;
  /** As it was begun with; JSON. */
  readonly input: string;
  /** JSON; empty: there is none. */
  readonly result: string;
  readonly recorded: readonly RecordedStep[];
}

/** How a workflow ends. */
type Conclusion =
  | { readonly status: 'succeed'; readonly result: string }
  | { readonly status: 'failed'; readonly reason: string };

/**
 * The coordinator. Every method rejects with `AmendsClientError`: `conflict` when the transaction has gone another way, or has
 * other content.
 */
export interface TransactionPort {
  /** Base address that participants are told, so that they can take part themselves. */
  readonly address: string;
  newGid(): string;
  /** Begins it; what is prepared already stays so. */
  prepare(transaction: Preparation, signal?: AbortSignal): Promise<void>;
  /** Decides to commit; what was submitted already stays so, ended or not. */
  submit(transaction: Preparation, signal?: AbortSignal): Promise<void>;
  /** Decides to roll back; what was aborted already stays so, ended or not. */
  abort(gid: string, mode: PreparedMode, reason: string): Promise<void>;
  /** Adds a branch; the same once more changes nothing. */
  register(branch: NewBranch, signal?: AbortSignal): Promise<void>;
  /** Begins a workflow or finds it as it stands. */
  prepareWorkflow(workflow: WorkflowStart, signal?: AbortSignal): Promise<WorkflowState>;
  /** Ends a workflow; what has ended so already stays so. */
  conclude(gid: string, conclusion: Conclusion, signal?: AbortSignal): Promise<void>;
}
