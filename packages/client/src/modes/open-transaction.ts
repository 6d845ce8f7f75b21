/**
 * A prepared transaction in the hands of its application: branches are added and called, then all is submitted or aborted.
 * `tcc` and `xa` are made of it.
 */
import type { Transaction } from '../api/api-types.ts';
import type { NewBranch, Preparation, PreparedMode, TransactionOptions, TransactionPort } from '../api/transaction-port.ts';
import type { BranchRequest, Participants } from '../participants/participant-request.ts';

export interface BeginOptions extends TransactionOptions {
  /** Identity chosen by the caller. Default: one is made. */
  readonly gid?: string;
  /** Gives up; what is not submitted then is rolled back. */
  readonly signal?: AbortSignal;
}

export interface EndOptions {
  /** Wait this long for the outcome. Milliseconds; default 0: not at all. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** How to run a TCC or XA transaction. */
export interface RunOptions extends BeginOptions, Pick<EndOptions, 'waitMs'> {}

/** What is left of a `NewBranch` when the transaction is known. */
type OwnBranch = NewBranch extends infer Branch ? (Branch extends NewBranch ? Omit<Branch, 'gid' | 'mode'> : never) : never;

/** A prepared transaction. */
export interface OpenTransaction {
  readonly gid: string;
  readonly mode: PreparedMode;
  /** Makes a branch known, before it is called. The same once more changes nothing. @throws AmendsClientError `conflict` */
  register(branch: OwnBranch): Promise<void>;
  /**
   * Calls a branch, once.
   * @throws BusinessFailure, Ongoing, ParticipantError
   */
  callBranch(url: string, branch: { readonly branchId: string; readonly op: string }, how?: BranchRequest): Promise<unknown>;
  /** Decides to commit. @throws AmendsClientError `conflict` when it was aborted, or its time was up */
  submit(how?: EndOptions): Promise<Transaction>;
  /** Decides to roll back. @throws AmendsClientError `conflict` when it was submitted */
  abort(reason: string, how?: EndOptions): Promise<Transaction>;
}

/** What transactions are made with. */
export interface Means {
  readonly port: TransactionPort;
  readonly participants: Participants;
  /** A transaction as soon as it has ended or is on hold, or as it is after `waitMs`. */
  readonly wait: (gid: string, how: { readonly waitMs: number; readonly signal?: AbortSignal }) => Promise<Transaction>;
}

/** Prepares a transaction. */
export async function begin(means: Means, mode: PreparedMode, options: BeginOptions = {}): Promise<OpenTransaction> {
  const { gid = means.port.newGid(), signal, ...rest } = options;
  const transaction: Preparation = { gid, mode, options: rest };
  await means.port.prepare(transaction, signal);
  return openTransaction(means, transaction, signal);
}

/** The handle of a transaction that is prepared. */
export function openTransaction(means: Means, transaction: Preparation, signal?: AbortSignal): OpenTransaction {
  const { port, participants } = means;
  const { gid, mode, options } = transaction;
  return {
    gid,
    mode,
    register: (branch) => port.register({ ...branch, gid, mode } as NewBranch, signal),
    callBranch: (url, { branchId, op }, how = {}) =>
      participants.call(
        url,
        { gid, transType: mode, branchId, op },
        {
          signal,
          ...how,
          headers: { ...options.headers, ...how.headers },
          query: { ...how.query, dtm: port.address },
        },
      ),
    async submit(how = {}) {
      await port.submit(transaction, how.signal ?? signal);
      return outcome(means, gid, how);
    },
    async abort(reason, how = {}) {
      await port.abort(gid, mode, reason);
      return outcome(means, gid, how);
    },
  };
}

/** The transaction after `waitMs`, or as it is. */
export function outcome({ wait }: Means, gid: string, { waitMs = 0, signal }: EndOptions): Promise<Transaction> {
  return wait(gid, signal === undefined ? { waitMs } : { waitMs, signal });
}

/** Calls of branches that are to be looked at before the end. */
export type Tracked = <Answer>(call: Promise<Answer>) => Promise<Answer>;

/**
 * Runs work on a transaction. What it throws aborts the transaction, and is thrown again; so does a call that has failed and
 * that it passes over, for the branch would be asked to keep what it has not done. Calls that it does not wait for are waited
 * for.
 */
export async function orAbort(open: OpenTransaction, work: (tracked: Tracked) => unknown): Promise<void> {
  const calls: Promise<unknown>[] = [];
  const tracked: Tracked = (call) => {
    calls.push(call);
    call.catch(() => {}); // It is looked at below.
    return call;
  };
  try {
    try {
      await work(tracked);
    } finally {
      // Nobody is asked to undo what is still being done.
      await Promise.allSettled(calls);
    }
    await Promise.all(calls);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // Where even that is not heard, the coordinator rolls back when the time is up.
    await open.abort(reason).catch(() => {});
    throw error;
  }
}
