/**
 * Saga: steps done in a declared order; when one is refused, those that were started are undone in the reverse order.
 *
 *   submitted ──all steps succeeded──────────────────────────────▶ succeed
 *       │                                                            ▲
 *       ├─past the point of no return: forward only, retry or hold───┘
 *       │
 *       └─step refused │ time is up │ attempts used up──▶ aborting ──all undone──▶ failed
 *   submitted, aborting ──terminated by a human──▶ failed
 *
 * Invariants, cited by tests:
 * SAGA-1: A step starts only when all steps in its `after` have succeeded, nothing is decided against it and nothing holds.
 * SAGA-2: The decision is made once and precedes every compensation; only a human's act may append another.
 * SAGA-3: After the decision to roll back no action starts any more.
 * SAGA-4: Exactly the compensatable steps whose action was started are undone, the refused and the unknown ones included.
 * SAGA-5: A step is undone only after every step that depends on it is undone or was never started.
 * SAGA-6: A step is undone only when no call of its action can still be running: answered, or its time is over.
 * SAGA-7: Past the point of no return (the pivot succeeded, or without one all compensatable steps) nothing is undone.
 * SAGA-8: While a pivot may have taken effect without a verdict nothing is undone; it is retried or held.
 * SAGA-9: An empty URL succeeds without a call, in the same decision.
 * SAGA-10: What cannot be given its payload is not called: before the point of no return the step counts as refused and has
 *   nothing to undo; past it, and for a compensation, it is held. Released by a human it is called with null in the place of what
 *   is missing.
 */

import { payloadIndex } from '../request/payloads.ts';
import { dependentsOf } from '../request/saga-spec.ts';
import type { SagaSpec, SagaStep } from '../request/spec.ts';
import type { OpName } from '../transaction/event.ts';
import type { Given } from '../transaction/given.ts';
import type { Branch } from '../transaction/transaction.ts';
import { branchIdOfStep, type EpochMs, epochMs } from '../words/ids.ts';
import { limits } from '../words/limits.ts';
import type { Way } from '../words/op.ts';
import type { Outcome } from '../words/outcome.ts';
import { earlier, mayStart, pauseEndsAt, start, whyHopeless } from './attempts.ts';
import { automatic, type Draft, finish, hold, keepRecord, note, restate, rollBack, setDecision, setOp } from './draft.ts';
import type { CallTable, LastAttempt, ModeLogic, Standing } from './mode.ts';
import { missingAnswer, renderPayload } from './rendered-payload.ts';

type SagaDraft = Draft<SagaSpec>;
type SagaGiven = Given<SagaSpec>;

const calls: CallTable<SagaSpec> = {
  branchId: (_given, index) => branchIdOfStep(index),
  op: (_index, way) => (way === 'forward' ? 'action' : 'compensate'),
  url: ({ spec }, index, way) => (way === 'forward' ? spec.steps[index]!.action : spec.steps[index]!.compensate),
  payload: renderPayload,
  timeoutMs: ({ spec }, index) => spec.steps[index]!.timeoutMs,
  retry: ({ spec }, index, way) => (way === 'forward' ? spec.steps[index]!.actionRetry : spec.steps[index]!.compensateRetry),
  // A refusal counts as one only for what may be refused: an action before the point of no return.
  mayBeRefused: ({ given }, index, way) => way === 'forward' && given.spec.steps[index]!.kind !== 'retriable',
  onAgreed: keepAnswer,
  onRefused: (draft, index, outcome) => {
    if (mayUndo(draft)) rollBack(draft, refusalReason(draft.given, index, outcome));
  },
  onExhausted: rollBackExhausted,
};

/** The mode. */
export const saga: ModeLogic<SagaSpec> = {
  branchesAtFirst: (spec) => spec.steps.length,
  beginsAs: (request) => (request.type === 'submitted' ? 'submitted' : null),
  request(draft, request) {
    if (request.type !== 'submitted') return 'wrong_mode';
    return draft.tx.status === 'submitted' ? 'repeated' : 'wrong_status';
  },
  advance(draft) {
    if (draft.tx.status === 'submitted') timeOut(draft);
    if (draft.tx.status === 'submitted') forward(draft);
    if (draft.tx.status === 'aborting') backward(draft);
  },
  whileHeld(draft) {
    if (draft.tx.status === 'submitted') timeOut(draft);
  },
  wakeAt,
  wakeAtHeld: timeoutAt,
  calls,
  ahead: { mayStart: mayStartAhead, reachable },
};

function keepAnswer(draft: SagaDraft, index: number, way: Way, outcome: Outcome): void {
  if (way === 'backward' || outcome.kept === undefined || draft.given.spec.steps[index]!.keepAnswer !== true) return;
  const bytes = [...draft.given.answers.values()].reduce((sum, answer) => sum + answer.byteLength, outcome.kept.byteLength);
  if (outcome.kept.byteLength > limits.answerBytesMax || bytes > limits.keptAnswersBytesMax) return;
  keepRecord(draft, { kind: 'answer', branchId: branchIdOfStep(index), content: outcome.kept });
}

function rollBackExhausted(draft: SagaDraft, index: number, way: Way, last: LastAttempt): boolean {
  if (way === 'backward') return false;
  if (draft.tx.status === 'aborting') return true;
  if (whyHopeless(last) !== null) return false;
  if (draft.given.spec.steps[index]!.actionRetry.atEnd !== 'roll-back' || !mayUndo(draft)) return false;
  rollBack(draft, exhaustedReason(draft.given, index, last));
  return true;
}

// ── going on ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** When the saga is to be undone if it is not decided by then; null: never, or not any more. */
function timeoutAt(draft: SagaDraft): EpochMs | null {
  const { timeoutMs } = draft.given.spec;
  if (draft.tx.status !== 'submitted' || timeoutMs === null || !mayUndo(draft)) return null;
  return epochMs(draft.tx.createdAt + timeoutMs);
}

function timeOut(draft: SagaDraft): void {
  const { timeoutReason } = draft.given.spec;
  const dueAt = timeoutAt(draft);
  if (dueAt === null || draft.at < dueAt) return;
  note(draft, { kind: 'timed-out', detail: timeoutReason });
  rollBack(draft, timeoutReason);
  restate(draft);
}

function forward(draft: SagaDraft): void {
  const { branches } = draft;
  for (let progress = true; progress && draft.tx.status === 'submitted'; ) {
    progress = false;
    for (let index = 0; index < branches.length; index++)
      if (mayStartAction(draft, index) && startAction(draft, index)) progress = true;
  }
  if (draft.tx.status !== 'submitted') return;
  if (draft.tx.decision === null && pastNoReturn(draft)) setDecision(draft, 'commit', automatic);
  if (branches.every((branch) => branch.forward.at === 'succeed')) finish(draft, 'succeed');
}

function mayStartAction(draft: SagaDraft, index: number): boolean {
  if (draft.tx.status !== 'submitted' || draft.tx.hold !== null) return false;
  const { given, branches } = draft;
  const { forward } = branches[index]!;
  // What may have been started ahead waits for its turn all the same.
  return mayStart(draft, forward) && given.spec.steps[index]!.after.every((other) => branches[other]!.forward.at === 'succeed');
}

/** A pivot, what comes after an open decision, and what is made of an answer are committed before they are called. */
function mayStartAhead({ tx, given }: Standing<SagaSpec>, { branch, way }: OpName): boolean {
  const { kind, action } = given.spec.steps[branch]!;
  if (way === 'backward' || kind === 'pivot' || (kind === 'retriable' && tx.decision === null)) return false;
  // What calls nobody needs no payload, and is passed.
  return action === '' || (given.spec.templates?.[payloadIndex(given.spec, branch, way)] ?? null) === null;
}

function reachable(standing: Standing<SagaSpec>): readonly OpName[] {
  const { tx, given } = standing;
  const { branches } = tx;
  if (tx.status !== 'submitted') return [];
  const reached = branches.map(({ forward }) => forward.at === 'succeed' || forward.at === 'running');
  const found: OpName[] = [];
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    given.spec.steps.forEach(({ after }, branch) => {
      const op = { branch, way: 'forward' } as const;
      if (reached[branch] || branches[branch]!.forward.at !== 'idle' || !mayStartAhead(standing, op)) return;
      if (!after.every((other) => reached[other])) return;
      reached[branch] = true;
      found.push(op);
    });
  }
  return found;
}

/** @returns whether the step has succeeded, without a call */
function startAction(draft: SagaDraft, index: number): boolean {
  const missing = missingFor(draft, index, 'forward');
  if (missing === null) return start(draft, calls, index, 'forward');
  if (mayUndo(draft) && !pastNoReturn(draft)) refuse(draft, index, missing);
  else holdBeforeCall(draft, { index, way: 'forward', missing });
  return false;
}

/** What keeps a call from being made; null: nothing. What waits has been held for it before, and was released. */
function missingFor(draft: SagaDraft, index: number, way: Way): string | null {
  const { forward, [way]: state } = draft.branches[index]!;
  if (state.at === 'waiting' || calls.url(draft.given, index, way) === '') return null;
  return missingAnswer(draft.given, index, { way, silent: way === 'backward' && forward.at !== 'succeed' });
}

function refuse(draft: SagaDraft, index: number, missing: string): void {
  const branchId = branchIdOfStep(index);
  setOp(draft, index, 'forward', { at: 'failed', attempts: 0, settledAt: epochMs(0) });
  note(draft, { kind: 'refused', branchId, op: 'action', code: 'payload_missing', detail: missing });
  rollBack(draft, `step ${branchId}: ${missing}`);
  restate(draft);
}

/** Nothing that happens by itself can bring what is missing: written once is written for good. */
function holdBeforeCall(draft: SagaDraft, { index, way, missing }: { index: number; way: Way; missing: string }): void {
  setOp(draft, index, way, { at: 'waiting', attempts: 0, settledAt: epochMs(0), unknowns: 0, dueAt: draft.at });
  const call = { branchId: branchIdOfStep(index), op: calls.op(index, way) };
  hold(draft, { code: 'payload-missing', ...call, detail: missing });
}

function backward(draft: SagaDraft): void {
  const { steps } = draft.given.spec;
  const dependents = dependentsOf(steps);
  for (let progress = true; progress && draft.tx.hold === null; ) {
    progress = false;
    for (let index = steps.length - 1; index >= 0; index--)
      if (mayStartUndo(draft, index, dependents[index]!) && startUndo(draft, index)) progress = true;
  }
  if (steps.every((step, index) => isUndone(draft.branches[index]!, step))) finish(draft, 'failed');
}

function mayStartUndo(draft: SagaDraft, index: number, dependents: readonly number[]): boolean {
  const { steps } = draft.given.spec;
  const { forward, backward } = draft.branches[index]!;
  if (draft.tx.hold !== null || isUndone(draft.branches[index]!, steps[index]!) || !mayStart(draft, backward)) return false;
  if (backward.at === 'waiting') return true;
  const quiet = forward.at !== 'running' && forward.at !== 'idle' && forward.settledAt <= draft.at;
  return quiet && dependents.every((other) => isUndone(draft.branches[other]!, steps[other]!));
}

/** A step that was refused before it was called for want of an answer has nothing to undo. @returns whether it is undone */
function startUndo(draft: SagaDraft, index: number): boolean {
  const { forward } = draft.branches[index]!;
  if (forward.at === 'failed' && forward.attempts === 0) {
    setOp(draft, index, 'backward', { at: 'succeed', attempts: 0, settledAt: epochMs(0) });
    return true;
  }
  const missing = missingFor(draft, index, 'backward');
  if (missing === null) return start(draft, calls, index, 'backward');
  holdBeforeCall(draft, { index, way: 'backward', missing });
  return false;
}

/** Nothing of this step is left to undo: never started, not undoable and refused, or compensated. */
function isUndone(branch: Branch, step: SagaStep): boolean {
  return branch.forward.at === 'idle' || step.kind !== 'compensatable' || branch.backward.at === 'succeed';
}

// ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Undoing is still a choice: nothing is decided and no pivot may have taken effect. */
function mayUndo(draft: SagaDraft): boolean {
  if (draft.tx.decision !== null) return false;
  const pivot = draft.given.spec.steps.findIndex((step) => step.kind === 'pivot');
  if (pivot === -1) return true;
  const { at } = draft.branches[pivot]!.forward;
  return at === 'idle' || at === 'failed';
}

function pastNoReturn({ branches, given }: SagaDraft): boolean {
  const { steps } = given.spec;
  const pivot = steps.findIndex((step) => step.kind === 'pivot');
  if (pivot !== -1) return branches[pivot]!.forward.at === 'succeed';
  return steps.every((step, index) => step.kind !== 'compensatable' || branches[index]!.forward.at === 'succeed');
}

function refusalReason({ spec }: SagaGiven, index: number, outcome: Outcome): string {
  if (spec.face === 'native') return `step ${branchIdOfStep(index)}: ${outcome.detail}`;
  return `url:${spec.steps[index]!.action} return failed: ${outcome.detail} FAILURE`;
}

function exhaustedReason({ spec }: SagaGiven, index: number, last: LastAttempt): string {
  const attempts = spec.steps[index]!.actionRetry.attemptsMax ?? 0;
  if (spec.face === 'dtm') return `RetryCount is greater than RetryLimit, RetryLimit: ${attempts - 1}`;
  return `step ${branchIdOfStep(index)}: no verdict after ${attempts} attempts, the last: ${last.code} ${last.detail}`.trimEnd();
}

/** The next pause that ends, the next call that is over, the deadline. */
function wakeAt(draft: SagaDraft): EpochMs | null {
  const { tx, branches, given } = draft;
  let earliest: EpochMs | null = null;
  branches.forEach(({ forward, backward }, index) => {
    if (tx.status === 'submitted') {
      earliest = earlier(earliest, pauseEndsAt(draft, forward));
    } else if (backward.at === 'waiting') {
      earliest = earlier(earliest, pauseEndsAt(draft, backward));
    } else if (backward.at === 'idle' && forward.at !== 'idle' && forward.at !== 'running' && forward.settledAt > draft.at) {
      if (given.spec.steps[index]!.kind === 'compensatable') earliest = earlier(earliest, forward.settledAt);
    }
  });
  return earlier(earliest, timeoutAt(draft));
}
