/** What the simulator keeps of one transaction, and of one commit of it. */
import type {
  Branch,
  Given,
  HistoryEntry,
  NodeId,
  OpState,
  Spec,
  Transaction,
  TransactionRecord,
  TransactionRow,
  Way,
} from '@amends/core';

/** What is known of one transaction. */
export interface Entry {
  readonly gid: string;
  readonly spec: Spec;
  /** With everything that was recorded so far. */
  given: Given;
  readonly digest: string;
  row: TransactionRow;
  tx: Transaction;
  /** Virtual milliseconds of the first commit, and of the decision. */
  readonly createdAt: number;
  decidedAt: number | null;
  wasHeld: boolean;
  /** It was given back to the store unfinished, or began there; who takes it up again may have to make room first. */
  wasReleased: boolean;
  /**
   * When something was last heard of the function of a workflow; null: it was interrupted or released since. Milliseconds since
   * 1970.
   */
  heardAt: number | null;
  /** Attempts without a verdict since the last release by a human, by `branch way`. */
  readonly unknowns: Map<string, number>;
  /** The row of each version, as commits and claims left it. */
  readonly versions: TransactionRow[];
  /** Who owned each epoch. */
  readonly owners: Map<number, NodeId>;
}

/** An attempt that is durable. */
export interface StartedAttempt {
  readonly startedAt: number;
  readonly timeoutMs: number;
  readonly epoch: number;
  readonly node: NodeId | null;
}

/** One commit of one transaction. */
export interface Step {
  readonly entry: Entry;
  readonly before: Transaction | null;
  readonly after: Transaction;
  readonly row: TransactionRow;
  readonly history: readonly HistoryEntry[];
  readonly records: readonly TransactionRecord[];
  readonly by: string;
}

/** Calls back for each op of each branch. */
export function forEachCall(branches: readonly Branch[], visit: (state: OpState, branch: number, way: Way) => void): void {
  branches.forEach((branch, index) => {
    visit(branch.forward, index, 'forward');
    visit(branch.backward, index, 'backward');
  });
}

/** One line on what a commit says. */
export function describeStep({ before, after, history }: Step): string {
  const what = history.map(({ kind, branchId, op, attempt, outcome, code }) =>
    [kind, branchId, op, attempt === null ? null : `#${attempt}`, outcome, code].filter((part) => part !== null).join(' '),
  );
  const decision = after.decision === null ? '' : ` ${after.decision.direction}`;
  const hold = after.hold === null ? '' : ' held';
  const owner = before?.owner === after.owner ? '' : ` owner ${after.owner ?? 'nobody'} epoch ${after.epoch}`;
  return `${after.gid} v${after.version} ${after.status}${decision}${hold}${owner} [${after.branches.map(describeBranch).join(' ')}] ${what.join('; ')}`;
}

function describeBranch({ forward, backward }: Branch): string {
  return backward.at === 'idle' ? describeOp(forward) : `${describeOp(forward)}/${describeOp(backward)}`;
}

function describeOp(state: OpState): string {
  if (state.at === 'idle') return '-';
  const letter = { running: 'r', waiting: 'w', 'given-up': 'g', succeed: 'ok', failed: 'no' }[state.at];
  return `${letter}${state.attempts}`;
}
