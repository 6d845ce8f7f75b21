/** What the modes beyond the saga ask of a coordinator. Every request may be repeated when its answer is lost. */

/** Modes whose transaction is prepared first, and submitted or aborted by its application. */
export type PreparedMode = 'tcc' | 'xa' | 'msg';

/** What holds for a whole transaction. */
export interface TransactionOptions {
  /**
   * How long the transaction may stay undecided. Then a tcc or xa is rolled back, and the application of a message is asked.
   * Milliseconds; default 60 s, of a message 30 s.
   */
  readonly timeoutMs?: number;
  /** Time for one call of the coordinator, answer included. Milliseconds; default 10 s. */
  readonly callTimeoutMs?: number;
  /**
   * Pause before a call is tried again, which doubles each time; of a workflow, how long nothing may be heard of it before it is
   * run again. Milliseconds; default 1 s, of a workflow 10 s.
   */
  readonly retryDelayMs?: number;
  /**
   * false: the coordinator stores each answer before it makes the next call. true (default): it may store several answers
   * together, so that after a crash it repeats calls which have succeeded. A barrier lets that pass; set this to false when
   * participants have none, and repetitions are costly for them.
   */
  readonly runAhead?: boolean;
  /** Added to every call. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A transaction to be prepared or submitted; both requests carry the same. */
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
export type BranchRegistration = { readonly gid: string; readonly branchId: string } & (
  | { readonly mode: 'tcc'; readonly confirm: string; readonly cancel: string; readonly payload: unknown }
  | { readonly mode: 'xa'; readonly url: string }
  | ({ readonly mode: 'workflow' } & Pick<RecordedStep, 'op' | 'status' | 'data'>)
);

/** What a workflow is begun with; each run carries the same. */
export interface WorkflowStart {
  readonly gid: string;
  readonly name: string;
  /** JSON. */
  readonly input: string;
  /** Address that the coordinator calls to have it run again. */
  readonly resume: string;
  readonly options: TransactionOptions;
}

/** A step, an end of a step, or the decision, as a workflow has recorded it. */
export interface RecordedStep {
  readonly branchId: string;
  readonly op: string;
  readonly status: 'succeed' | 'failed';
  /** JSON. */
  readonly data: string;
}

/** A workflow as it stands. */
export interface WorkflowState {
  readonly status: string;
  readonly reason: string;
  readonly name: string;
  /** JSON that it was begun with. */
  readonly input: string;
  /** JSON; empty: there is none. */
  readonly result: string;
  readonly recorded: readonly RecordedStep[];
}

/** How the function of a workflow has ended; the result is JSON. */
type WorkflowEnd =
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
  register(branch: BranchRegistration, signal?: AbortSignal): Promise<void>;
  /** Begins a workflow or finds it as it stands. */
  prepareWorkflow(workflow: WorkflowStart, signal?: AbortSignal): Promise<WorkflowState>;
  /** Ends a workflow; what has ended so already stays so. */
  conclude(gid: string, end: WorkflowEnd, signal?: AbortSignal): Promise<void>;
}
