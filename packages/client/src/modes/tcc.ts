/** TCC: the application tries each branch; the coordinator then confirms all, or cancels all. */
import type { Transaction } from '../api/api-types.ts';
import type { Call } from '../participants/call.ts';
import { branchIds } from './branch-ids.ts';
import {
  begin,
  type Means,
  type OpenTransaction,
  openTransaction,
  type RunOptions,
  runOrAbort,
  type Track,
} from './open-transaction.ts';

/** A branch of TCC. Every address gets the payload. */
export interface TccBranch {
  /** Reserves; called at once. */
  readonly try: string;
  /** Turns the reservation into the change; empty: nothing to call. */
  readonly confirm: string;
  /** Gives the reservation back, also where the try has never arrived; empty: nothing to call. */
  readonly cancel: string;
  /** JSON; default `{}`. */
  readonly payload?: unknown;
  /** Time for the answer of the try. Milliseconds; default 10 s. */
  readonly timeoutMs?: number;
}

/** A TCC transaction under way. */
export interface Tcc {
  readonly gid: string;
  /**
   * Registers a branch, then tries it.
   * @returns the answer of the try
   * @throws BusinessFailure, Ongoing: the verdict of the try. ParticipantError: it gives none. AmendsClientError `conflict`: the
   * time is up
   */
  call<Answer = unknown>(branch: TccBranch): Promise<Answer>;
}

/** Runs work. When it returns, all branches are confirmed; when it throws, all are cancelled. */
export async function runTcc(
  means: Means,
  work: (tcc: Tcc) => unknown,
  { waitMs, ...options }: RunOptions,
): Promise<Transaction> {
  const open = await begin(means, 'tcc', options);
  await runOrAbort(open, (track) => work(makeTcc(open, branchIds(), track)));
  return open.submit(waitMs === undefined ? {} : { waitMs });
}

/** Lets a branch add branches of its own to the transaction that it belongs to. */
export function joinTcc(means: Means, { gid, transType, branchId }: Call, signal?: AbortSignal): Tcc {
  if (transType !== 'tcc')
    throw new TypeError(`the call belongs to a ${transType}; only a branch of TCC can have branches of its own`);
  return makeTcc(openTransaction(means, { gid, mode: 'tcc', options: {} }, signal), branchIds(branchId), (call) => call);
}

function makeTcc(open: OpenTransaction, nextId: () => string, track: Track): Tcc {
  async function call({ try: url, confirm, cancel, payload = {}, timeoutMs }: TccBranch): Promise<unknown> {
    const branchId = nextId();
    await open.register({ branchId, confirm, cancel, payload });
    const how = timeoutMs === undefined ? { payload } : { payload, timeoutMs };
    return open.callBranch(url, { branchId, op: 'try' }, how);
  }
  return { gid: open.gid, call: <Answer>(branch: TccBranch) => track(call(branch)) as Promise<Answer> };
}
