/**
 * Running ahead of commits. A commit may say until when its owner goes on alone: within that time it starts ops that successes
 * alone lead to, before it writes what it did. So a transaction that ends quickly is written twice, however many calls it makes.
 *
 * Invariants, cited by tests:
 * AHEAD-1: What is started without a commit was reachable from the last one by successes alone, and it was that one's owner who
 *   started it, for the first time, and not later than it allows.
 * AHEAD-2: A refusal, an attempt without a verdict, a kept answer, a decision, a hold, a time-out and an act by hand are durable
 *   before anything follows from them.
 * AHEAD-3: After a take-over every op that may have been started so counts as started: forward it is called (again) when its turn
 *   comes; on the way back it is undone, when its time is over.
 * AHEAD-4: A take-over's attempts are committed one by one, so that an answer which kills the process is counted. The attempt
 *   that may have been made ahead has a number, but is no attempt without a verdict: an op in doubt may be called once more than
 *   its policy says.
 * AHEAD-5: What was done ahead is written with the next commit, and after 50 ms at the latest while the store can be used.
 *
 * An act by hand at another node is durable before its sender hears so; the owner hears of it with its own next commit, and
 * goes on within its window until then.
 *
 * How AHEAD-3 protects. Node A commits at 0 ms that it may run ahead until 1000, then stands still. Node B takes over at 5000:
 * step 02 may have been called at 1000 at the latest, and with a time of 3 s its call is over at 4000, so B may undo it. Had A
 * gone on at 900 and called 02 for the first time, its participant is told to undo it. Had it not, the participant is told to
 * undo what never came: a null compensation, which barriers answer. When A wakes up after 1000 it starts nothing more without a
 * commit, and that one fails.
 */
import type { Spec } from '../request/spec.ts';
import type { OpName } from '../transaction/event.ts';
import type { Given } from '../transaction/given.ts';
import { isFinished, isQuiet, type OpState, type Transaction } from '../transaction/transaction.ts';
import { type EpochMs, epochMs } from '../words/ids.ts';
import { limits } from '../words/limits.ts';
import type { Way } from '../words/op.ts';
import { type Draft, note, setOp } from './draft.ts';
import type { Ahead, ModeLogic } from './mode.ts';

/** Until when whoever commits this transaction now may run ahead; null: there is nothing that it could start so. */
export function windowEnd<S extends Spec>(tx: Transaction, given: Given<S>, ahead: Ahead<S> | undefined): EpochMs | null {
  if (ahead === undefined || given.spec.runAhead === false || isFinished(tx) || tx.hold !== null || isQuiet(tx)) return null;
  const isOpen = ahead.reachable({ tx, given }).length > 0;
  return isOpen ? epochMs(tx.updatedAt + limits.runAheadMsMax) : null;
}

/** Whether what has been decided since `before` may be written later: nothing but successes, and what may be started ahead. */
export function mayWait<S extends Spec>(before: Transaction, draft: Draft<S>, ahead: Ahead<S> | undefined): boolean {
  const { tx, given, history, records, branches } = draft;
  if (ahead === undefined || given.spec.runAhead === false || records.length > 0) return false;
  const isAsDecided = tx.status === before.status && tx.decision === before.decision && tx.hold === before.hold;
  if (!isAsDecided || !history.every(({ kind, outcome }) => kind === 'answered' && outcome === 'success')) return false;
  return branches.every((branch, index) => {
    const was = before.branches[index]!;
    if (branch === was) return true;
    const isProgress = (way: Way) =>
      was[way] === branch[way] || mayBeWrittenLater(draft, was[way], { branch: index, way }, ahead);
    return isProgress('forward') && isProgress('backward');
  });
}

function mayBeWrittenLater<S extends Spec>(draft: Draft<S>, was: OpState, op: OpName, ahead: Ahead<S>): boolean {
  const is = draft.branches[op.branch]![op.way];
  // An op without an address has succeeded without a call.
  if (is.at === 'succeed') return was.at === 'running' || was.at === 'idle';
  if (was.at !== 'idle' || is.at !== 'running') return false;
  const { aheadUntil } = draft.tx;
  return aheadUntil !== null && is.startedAt <= aheadUntil && ahead.mayStart(draft, op);
}

/** The former owner may have started what its last commit allowed, and its calls may last as long as any (AHEAD-3). */
export function doubt<S extends Spec>(draft: Draft<S>, { ahead, calls }: ModeLogic<S>): void {
  const { aheadUntil } = draft.tx;
  if (aheadUntil === null) return;
  draft.tx.aheadUntil = null;
  const inDoubt = ahead?.reachable(draft) ?? [];
  const isCalled = ({ branch, way }: OpName) => calls.url(draft.given, branch, way) !== '';
  for (const op of inDoubt) {
    const { branch, way } = op;
    const over = isCalled(op) ? { attempts: 1, settledAt: epochMs(aheadUntil + calls.timeoutMs(draft.given, branch)) } : uncalled;
    setOp(draft, branch, way, { at: 'waiting', ...over, unknowns: 0, dueAt: draft.at });
  }
  const names = inDoubt
    .filter(isCalled)
    .map(({ branch, way }) => `${calls.branchId(draft.given, branch)} ${calls.op(branch, way)}`);
  if (names.length > 0) note(draft, { kind: 'uncertain', detail: `may have been called: ${listOf(names)}` });
}

const uncalled = { attempts: 0, settledAt: epochMs(0) };

const namedMax = 20;

function listOf(names: readonly string[]): string {
  if (names.length <= namedMax) return names.join(', ');
  return `${names.slice(0, namedMax).join(', ')} and ${names.length - namedMax} more`;
}
