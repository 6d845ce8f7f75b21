/** The state of one global transaction: what has been decided and how far each branch has come. */

import type { Mode } from '../request/spec.ts';
import type { BranchId, EpochMs, Gid, NodeId } from '../words/ids.ts';
import type { Op } from '../words/op.ts';

/** Every global status, in DTM's words: `prepared` → `submitted` → `succeed`, or → `aborting` → `failed`. */
export const statuses = ['prepared', 'submitted', 'aborting', 'succeed', 'failed'] as const;

/** Global status. */
export type Status = (typeof statuses)[number];

/** How far one op of one branch has come. A field exists only where it means something. */
export type OpState = { readonly at: 'idle' } | RunningOp | WaitingOp | GivenUpOp | EndedOp;

/** A call is in flight. */
export interface RunningOp extends Attempted {
  readonly at: 'running';
  readonly startedAt: EpochMs;
  /** As for `WaitingOp`, before this call. */
  readonly unknowns: number;
}

/** The last call ended without a final verdict; another one is due. */
export interface WaitingOp extends Attempted {
  readonly at: 'waiting';
  readonly dueAt: EpochMs;
  /** Attempts without a verdict since the last release by a human; what retry policies count. */
  readonly unknowns: number;
}

/** The last call ended without a final verdict; another one is due when a human says so. Of deliveries of messages. */
export interface GivenUpOp extends Attempted {
  readonly at: 'given-up';
  /** As for `WaitingOp`. */
  readonly unknowns: number;
}

/** The participant has given its final verdict. */
export interface EndedOp extends Attempted {
  readonly at: 'succeed' | 'failed';
}

interface Attempted {
  /** Calls started so far, one in flight included; 0 for an op without URL. */
  readonly attempts: number;
  /** From when on no call that has ended here can still be running at the participant; 0: from the start. */
  readonly settledAt: EpochMs;
}

/** One branch: its op of each way; what its mode never calls stays idle. */
export interface Branch {
  readonly forward: OpState;
  readonly backward: OpState;
}

/** The durable choice of the transaction's end. Only a human may append another. */
export interface Decision {
  readonly direction: 'commit' | 'roll-back' | 'terminate';
  /** The history row that records it. */
  readonly seq: number;
  /** Who decided: `amends` or the name of a person or service. */
  readonly actor: string;
}

/**
 * - `address-forbidden`: what is to be called has an address that may not be called.
 * - `attempts-exhausted`: the policy's attempts are used up without a verdict.
 * - `nobody-to-ask`: a message was prepared, never submitted, and names nobody who knows whether it should have been.
 * - `participant-stuck`: the participant says that the call cannot succeed, nor be undone, before a human has looked.
 * - `payload-missing`: a compensation's payload refers to an answer that is not there.
 * - `unreadable`: what is stored of it could not be read. Nobody decides that: whoever claims it marks the row.
 */
export type HoldCode = Hold['code'];

/** Nothing is called until a human looks: the standard status stays as it was. What cannot be read blames no call. */
export type Hold = HeldCall | { readonly code: 'unreadable' };

/** The call that a hold is for. */
export interface HeldCall {
  readonly code: 'address-forbidden' | 'attempts-exhausted' | 'nobody-to-ask' | 'participant-stuck' | 'payload-missing';
  readonly branchId: BranchId;
  readonly op: Op;
}

/** One global transaction, as of a commit or as far ahead of it as its owner has come. */
export interface Transaction {
  readonly gid: Gid;
  readonly mode: Mode;
  readonly status: Status;
  readonly hold: Hold | null;
  readonly decision: Decision | null;
  readonly branches: readonly Branch[];
  /** Why it is rolled back or terminated; empty otherwise. */
  readonly reason: string;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** When its alarm was due, once that has been raised; null: not raised. Kept when it finishes. */
  readonly overdueSince: EpochMs | null;
  /**
   * Until when its owner may start ops that successes alone lead to, before its next commit; null: what is started is in
   * `branches`.
   */
  readonly aheadUntil: EpochMs | null;
  /** Sequence number of its last history row. */
  readonly seq: number;
  /** Counts commits, from 1; 0 before the first. Whoever commits counts. */
  readonly version: number;
  /** Counts changes of owner; a fencing token. */
  readonly epoch: number;
  /** The node that drives it; null: whoever claims it when due. */
  readonly owner: NodeId | null;
}

/** Whether nothing more will happen by itself or by request. */
export function isFinished(tx: { readonly status: Status }): boolean {
  return tx.status === 'succeed' || tx.status === 'failed';
}

/** Whether no call is in flight. */
export function isQuiet(tx: Transaction): boolean {
  return tx.branches.every((branch) => branch.forward.at !== 'running' && branch.backward.at !== 'running');
}
