/** The state of one global transaction: what has been decided and how far each branch has come. */
import type { BranchId, EpochMs, Gid, NodeId } from './ids.ts';
import type { Mode } from './spec.ts';

/** Global status, in DTM's words: `prepared` → `submitted` → `succeed`, or → `aborting` → `failed`. */
export type Status = 'prepared' | 'submitted' | 'aborting' | 'succeed' | 'failed';

/** What is called on a branch of a saga. */
export type Op = 'action' | 'compensate';

/** How far one op of one branch has come. A field exists only where it means something. */
export type OpState =
  | { readonly at: 'idle' }
  | (Attempted & { readonly at: 'running'; readonly startedAt: EpochMs })
  | (Attempted & { readonly at: 'waiting'; readonly dueAt: EpochMs })
  | { readonly at: 'succeed'; readonly attempts: number }
  | { readonly at: 'failed'; readonly attempts: number };

interface Attempted {
  /** Calls started so far, the running one included. */
  readonly attempts: number;
  /** Attempts since the last release by a human that ended without a verdict; what retry policies count. */
  readonly unknowns: number;
  /** From when on no call that was started can still be running at the participant. */
  readonly settledAt: EpochMs;
}

/** One branch: a step of the saga. */
export interface Branch {
  readonly action: OpState;
  readonly compensate: OpState;
}

/** The durable choice of the transaction's end. Only a human may append another. */
export interface Decision {
  readonly direction: 'commit' | 'roll-back' | 'terminate';
  /** The history row that records it. */
  readonly seq: number;
  /** Who decided: `amends` or the name of a person or service. */
  readonly actor: string;
}

/** Nothing is called until a human looks: the standard status stays as it was. */
export interface Hold {
  readonly code: 'attempts-exhausted';
  readonly branchId: BranchId;
  readonly op: Op;
}

/** One global transaction as of one commit. */
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
  /** Sequence number of its last history row. */
  readonly seq: number;
  /** Counts commits, from 1; 0 before the first. */
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
  return tx.branches.every((branch) => branch.action.at !== 'running' && branch.compensate.at !== 'running');
}
