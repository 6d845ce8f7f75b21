/**
 * A prepared transaction, whose application adds branches, calls them, and then submits or aborts it. `tcc` and `xa` are made of
 * it.
 */
import type { Transaction } from '../api/api-types.ts';
import type {
  BranchRegistration,
  Preparation,
  PreparedMode,
  TransactionOptions,
  TransactionPort,
} from '../api/transaction-port.ts';
import type { BranchRequest, Participants } from '../participants/participant-request.ts';

/** What a transaction is prepared with. */
export interface BeginOptions extends TransactionOptions {
  /** Identity chosen by the caller. Default: one is made. */
  readonly gid?: string;
  /** Gives up. A transaction that is not submitted is rolled back. */
  readonly signal?: AbortSignal;
}

/** How long to wait for the end of a transaction. */
export interface EndOptions {
  /** Wait this long for the outcome. Milliseconds; default 0: not at all. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a TCC or XA transaction is run with. */
export interface RunOptions extends BeginOptions, Pick<EndOptions, 'waitMs'> {}

/** A branch of a known transaction. */
type OwnBranch = BranchRegistration extends infer Branch
  ? Branch extends BranchRegistration
    ? Omit<Branch, 'gid' | 'mode'>
    : never
  : never;

/** A prepared transaction. */
export interface OpenTransaction {
  readonly gid: string;
  readonly mode: PreparedMode;
  /** Registers a branch, before it is called. Doing so again changes nothing. @throws AmendsClientError `conflict` */
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

/** What the modes work with: the coordinator and the participants. */
export interface Means {
  readonly port: TransactionPort;
  readonly participants: Participants;
  /** Waits until a transaction has ended or is on hold, or for `waitMs`, and returns it. */
  readonly wait: (gid: string, how: { readonly waitMs: number; readonly signal?: AbortSignal }) => Promise<Transaction>;
}

/** Prepares a transaction. */
export async function begin(means: Means, mode: PreparedMode, options: BeginOptions = {}): Promise<OpenTransaction> {
  const { gid = means.port.newGid(), signal, ...rest } = options;
  const transaction: Preparation = { gid, mode, options: rest };
  await means.port.prepare(transaction, signal);
  return openTransaction(means, transaction, signal);
}

/** Makes the handle of a transaction that is prepared. */
export function openTransaction(means: Means, transaction: Preparation, signal?: AbortSignal): OpenTransaction {
  const { port, participants } = means;
  const { gid, mode, options } = transaction;
  return {
    gid,
    mode,
    register: (branch) => port.register({ ...branch, gid, mode } as BranchRegistration, signal),
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
      return follow(means, gid, how);
    },
    async abort(reason, how = {}) {
      await port.abort(gid, mode, reason);
      return follow(means, gid, how);
    },
  };
}

/** Waits for `waitMs` at most, and returns the transaction. */
export function follow({ wait }: Means, gid: string, { waitMs = 0, signal }: EndOptions): Promise<Transaction> {
  return wait(gid, signal === undefined ? { waitMs } : { waitMs, signal });
}

/** Notes the call of a branch, so that it is checked before the end. */
export type Track = <Answer>(call: Promise<Answer>) => Promise<Answer>;

/**
 * Runs work on a transaction. When the work throws, the transaction is aborted and the error is thrown again. The same happens
 * when a call has failed and the work has ignored that, because its branch would be asked to keep what it has not done. Calls
 * that the work does not wait for are waited for.
 */
export async function runOrAbort(open: OpenTransaction, work: (track: Track) => unknown): Promise<void> {
  const calls: Promise<unknown>[] = [];
  const track: Track = (call) => {
    calls.push(call);
    call.catch(() => {}); // It is awaited below.
    return call;
  };
  try {
    try {
      await work(track);
    } finally {
      // No branch is asked to undo what it is still doing.
      await Promise.allSettled(calls);
    }
    await Promise.all(calls);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // Where the coordinator does not hear of it, it rolls back when the time is up.
    await open.abort(reason).catch(() => {});
    throw error;
  }
}
