/**
 * A database's part in XA transactions. Its first phase does the work and prepares it: from then on it survives every crash
 * and keeps its locks until the second phase, by whatever connection, commits it or rolls it back.
 */

import type { BranchRef } from '../participants/call.ts';
import { BusinessFailure } from '../participants/verdict.ts';
import { answerOf, type BarrierRow, checkCall, checkFound, type FoundRow } from './barrier-rows.ts';

/** A database that takes part. `Tx` is what the work uses to change it. */
export interface XaResource<Tx> {
  /**
   * The first phase. Where it has been committed before, the work is skipped, and its result is given again.
   * @param register tells the coordinator of the branch; after the work, before it is prepared
   * @throws whatever the work or `register` throws, and then nothing is left; BusinessFailure when it was rolled back already
   */
  prepare<Result>(
    call: BranchRef,
    work: (tx: Tx) => Result | Promise<Result>,
    register: () => Promise<void>,
  ): Promise<Result | undefined>;
  /** The second phase. What is not there (any more) counts as committed: coordinators repeat themselves. */
  commit(call: BranchRef): Promise<void>;
  /**
   * The second phase. What is not there counts as rolled back, and cannot begin afterwards.
   * @throws Error while the first phase is still under way, so that the coordinator asks again
   */
  rollback(call: BranchRef): Promise<void>;
  /** Branches that wait for their second phase, of whichever transaction. */
  prepared(): Promise<readonly PreparedBranch[]>;
}

/** A branch that holds its locks until it is committed or rolled back. */
export interface PreparedBranch {
  readonly gid: string;
  readonly branchId: string;
  /** Under which the database knows it: `<gid>-<branch id>`, as DTM's clients write it. */
  readonly xid: string;
}

/**
 * The name of a branch in the database.
 * @throws TypeError when it is longer than the database allows, or could be that of a branch of another transaction
 */
export function xidOf(call: BranchRef, bytesMax: number): string {
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

/** The branch of a name; null: somebody else has made it. */
export function branchOf(xid: string): PreparedBranch | null {
  const [, gid, branchId] = /^(.+)-(\d+)$/s.exec(xid) ?? [];
  return gid === undefined || branchId === undefined ? null : { gid, branchId, xid };
}

/** The row of the barrier of a branch: written by its first phase, or by a rollback that came before. */
export function xaRow(call: BranchRef, reason: 'action' | 'rollback'): BarrierRow {
  const { gid, branchId, transType } = call;
  return { gid, branchId, transType, op: 'action', barrierId: '01', reason };
}

/**
 * What the first phase has returned, where its row is there already. @throws BusinessFailure unless it was committed;
 * NeedsAttention
 */
export function answerOfFirst(call: BranchRef, found: FoundRow): unknown {
  const row = xaRow(call, 'action');
  checkFound(found, row);
  if (found.reason !== row.reason)
    throw new BusinessFailure(`the branch ${call.branchId} of ${call.gid} has been rolled back already`);
  return answerOf(found, { row, isWanted: call.answerWanted === true });
}

/** What a roll back finds in place of its row. @throws NeedsAttention: work that was left in the middle cannot be rolled back */
export function checkRolledBack(call: BranchRef, found: FoundRow | null): void {
  if (found !== null) checkFound(found, xaRow(call, 'rollback'));
}
