/** TCC: each branch is tried by its application; the coordinator then confirms all, or cancels all. */
import type { Transaction } from '../api/api-types.ts';
import type { Call } from '../participants/call.ts';
import { branchIds } from './branch-ids.ts';
import {
  begin,
  type Means,
  type OpenTransaction,
  openTransaction,
  orAbort,
  type RunOptions,
  type Tracked,
} from './open-transaction.ts';

/** A branch of TCC. Every address gets the payload. */
export interface TccBranch {
  /** Reserves; called at once. */
  readonly try: string;
  /** Makes the reservation count; empty: nothing to call. */
  readonly confirm: string;
  /** Gives the reservation back, even if the try has never arrived; empty: nothing to call. */
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
   * Makes a branch known, then tries it.
   * @returns the answer of the try
   * @throws BusinessFailure, Ongoing: what the try says. ParticipantError: it does not say. AmendsClientError `conflict`: the
   * time is up
   */
  call<Answer = unknown>(branch: TccBranch): Promise<Answer>;
}

/** Runs work; returns: confirms all. Throws: cancels all. */
export async function runTcc(
  means: Means,
  work: (tcc: Tcc) => unknown,
  { waitMs, ...options }: RunOptions,
): Promise<Transaction> {
  const open = await begin(means, 'tcc', options);
  await orAbort(open, (tracked) => work(tccIn(open, branchIds(), tracked)));
  return open.submit(waitMs === undefined ? {} : { waitMs });
}

/** A branch that has branches of its own, in the transaction that it belongs to. */
export function joinTcc(means: Means, { gid, transType, branchId }: Call, signal?: AbortSignal): Tcc {
  if (transType !== 'tcc')
    throw new TypeError(`the call belongs to a ${transType}; only a branch of TCC can have branches of its own`);
  return tccIn(openTransaction(means, { gid, mode: 'tcc', options: {} }, signal), branchIds(branchId), (call) => call);
}

function tccIn(open: OpenTransaction, nextId: () => string, tracked: Tracked): Tcc {
  async function call({ try: url, confirm, cancel, payload = {}, timeoutMs }: TccBranch): Promise<unknown> {
    const branchId = nextId();
    await open.register({ branchId, confirm, cancel, payload });
    const how = timeoutMs === undefined ? { payload } : { payload, timeoutMs };
    return open.callBranch(url, { branchId, op: 'try' }, how);
  }
  return { gid: open.gid, call: <Answer>(branch: TccBranch) => tracked(call(branch)) as Promise<Answer> };
}
