/**
 * The branches of XA transactions in a database. The first phase does the work and prepares it. A prepared branch survives every
 * crash and holds its locks until the second phase, on any connection, commits it or rolls it back.
 */

import type { BranchRef } from '../participants/call.ts';
import { BusinessFailure } from '../participants/verdict.ts';
import { type BarrierRow, checkCall, checkFound, type FoundRow, readAnswer } from './barrier-rows.ts';

/** A database that takes part in XA transactions. The work changes it through `Tx`. */
export interface XaResource<Tx> {
  /**
   * Runs the first phase. Where the branch was committed before, the work is skipped and its result is given again.
   * @param register tells the coordinator of the branch; called after the work, before the branch is prepared
   * @throws whatever the work or `register` throws; then nothing of it is left. BusinessFailure when it was rolled back before
   */
  prepare<Result>(
    call: BranchRef,
    work: (tx: Tx) => Result | Promise<Result>,
    register: () => Promise<void>,
  ): Promise<Result | undefined>;
  /** Commits a branch. One that is not there counts as committed, because coordinators repeat their calls. */
  commit(call: BranchRef): Promise<void>;
  /**
   * Rolls back a branch. One that is not there counts as rolled back, and can no longer begin.
   * @throws Error while the first phase is still under way, so that the coordinator asks again
   */
  rollback(call: BranchRef): Promise<void>;
  /** Lists the branches of all transactions that wait for their second phase. */
  prepared(): Promise<readonly PreparedBranch[]>;
}

/** A branch that holds its locks until it is committed or rolled back. */
export interface PreparedBranch {
  readonly gid: string;
  readonly branchId: string;
  /** Its name in the database: `<gid>-<branch id>`, as DTM's clients write it. */
  readonly xid: string;
}

/**
 * Makes the name of a branch in the database.
 * @throws TypeError when it is longer than the database allows, or could be the name of another transaction's branch
 */
export function makeXid(call: BranchRef, bytesMax: number): string {
  checkCall(call);
  if (call.branchId.includes('-'))
    throw new TypeError(
      `branchId is ${call.branchId}: a branch of XA has none with a hyphen, which would be taken for the end of a gid`,
    );
  const xid = `${call.gid}-${call.branchId}`;
  const bytes = Buffer.byteLength(xid);
  if (bytes > bytesMax || xid.includes('\0'))
    throw new TypeError(
      `the branch ${xid} cannot be prepared: its name has ${bytes} bytes, the database allows ${bytesMax}; use a shorter gid`,
    );
  return xid;
}

/** Reads the name of a branch; null: another program has made it. */
export function parseXid(xid: string): PreparedBranch | null {
  const [, gid, branchId] = /^(.+)-(\d+)$/s.exec(xid) ?? [];
  return gid === undefined || branchId === undefined ? null : { gid, branchId, xid };
}

/** The barrier's row of a branch, which its first phase writes, or a rollback that comes before it. */
export function xaRow(call: BranchRef, reason: 'action' | 'rollback'): BarrierRow {
  const { gid, branchId, transType } = call;
  return { gid, branchId, transType, op: 'action', barrierId: '01', reason };
}

/**
 * Reads what the first phase returned from the row that it wrote. @throws BusinessFailure unless it was committed; NeedsAttention
 */
export function readFirstAnswer(call: BranchRef, found: FoundRow): unknown {
  const row = xaRow(call, 'action');
  checkFound(found, row);
  if (found.reason !== row.reason)
    throw new BusinessFailure(`the branch ${call.branchId} of ${call.gid} has been rolled back already`);
  return readAnswer(found, { row, isWanted: call.answerWanted === true });
}

/**
 * Checks the row that a rollback finds. @throws NeedsAttention: work that ended its transaction by itself cannot be rolled back
 */
export function checkRolledBack(call: BranchRef, found: FoundRow | null): void {
  if (found !== null) checkFound(found, xaRow(call, 'rollback'));
}
