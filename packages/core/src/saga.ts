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
 * I1  A step starts only when all steps in its `after` have succeeded, nothing is decided against it and nothing holds.
 * I2  The decision is made once and precedes every compensation; only a human's act may append another.
 * I3  After the decision to roll back no action starts any more.
 * I4  Exactly the compensatable steps whose action was started are undone, the refused and the unknown ones included.
 * I5  A step is undone only after every step that depends on it is undone or was never started.
 * I6  A step is undone only when no call of its action can still be running: answered, or its time is over.
 * I7  Past the point of no return (the pivot succeeded, or without one all compensatable steps) nothing is undone.
 * I8  While a pivot may have taken effect without a verdict nothing is undone; it is retried or held.
 * I9  An attempt that is in flight is in the state with its number and start; one that a crash cut off counts.
 * I10 An answer counts once, for the attempt that is in flight; any other is ignored.
 * I11 While on hold nothing is called; only a human's act or a verdict still under way changes that.
 * I12 An empty URL succeeds without a call, in the same decision.
 * I13 The alarm is raised once, when it is due and the saga is not finished, on hold or not; it changes nothing else.
 */

import { type Draft, draftOf, finish, named, record, restate, setDecision, setOp } from './draft.ts';
import { assertNever } from './errors.ts';
import type { Decided, Effect, TransactionEvent, Verdict } from './event.ts';
import { branchIdOfStep, type EpochMs, epochMs } from './ids.ts';
import type { Outcome } from './outcome.ts';
import { mayRetry, ongoingDelayMs, type RetryPolicy, retryDelayMs } from './retry.ts';
import { dependentsOf } from './saga-spec.ts';
import type { SagaSpec, SagaStep } from './spec.ts';
import { type Branch, isFinished, type Op, type RunningOp, type Transaction, type WaitingOp } from './transaction.ts';

type Answered = Extract<TransactionEvent, { type: 'answered' }>;
type Intervened = Extract<TransactionEvent, { type: 'intervened' }>;
type Submitted = Extract<TransactionEvent, { type: 'submitted' }>;

const automatic = 'amends';
const never = epochMs(0);

/** Decides what the events mean for a saga. `before` is null exactly when the first event is `submitted`. */
export function decideSaga(before: Transaction | null, spec: SagaSpec, events: readonly TransactionEvent[]): Decided {
  const draft = draftOf(before ?? begun(events[0] as Submitted, spec));
  const verdicts = events.map((event) => apply(draft, spec, event));
  if (!isFinished(draft.tx)) advance(draft, spec);
  if (!isFinished(draft.tx)) raiseAlarm(draft, spec);
  return { ...settled(draft, before), verdicts, wakeAt: wakeAt(draft, spec) };
}

function begun(event: Submitted, spec: SagaSpec): Transaction {
  return {
    gid: event.gid,
    mode: 'saga',
    status: 'submitted',
    hold: null,
    decision: null,
    branches: spec.steps.map(() => ({ action: { at: 'idle' }, compensate: { at: 'idle' } })),
    reason: '',
    createdAt: event.at,
    updatedAt: event.at,
    finishedAt: null,
    overdueSince: null,
    seq: 0,
    version: 0,
    epoch: 1,
    owner: event.owner,
  };
}

/** The transaction to commit, one version on; or the one before when the events changed nothing. */
function settled(draft: Draft, before: Transaction | null): Pick<Decided, 'next' | 'history' | 'effects'> {
  if (before !== null && !draft.changed) return { next: before, history: [], effects: [] };
  draft.tx.version += 1;
  draft.tx.updatedAt = draft.at;
  return { next: draft.tx, history: draft.history, effects: draft.effects };
}

function apply(draft: Draft, spec: SagaSpec, event: TransactionEvent): Verdict {
  draft.at = epochMs(Math.max(draft.at, event.at));
  draft.jitter = event.jitter;
  switch (event.type) {
    case 'submitted':
      record(draft, { kind: 'submitted', traceId: spec.trace?.traceId ?? null });
      return 'taken';
    case 'answered':
      return answered(draft, spec, event);
    case 'woken':
      return 'taken';
    case 'recovered':
      return recovered(draft, spec);
    case 'intervened':
      return intervened(draft, event);
    default:
      return assertNever(event);
  }
}

// ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────────

function answered(draft: Draft, spec: SagaSpec, event: Answered): Verdict {
  const running = draft.branches[event.branch]?.[event.op];
  if (isFinished(draft.tx) || running?.at !== 'running' || running.attempts !== event.attempt) return 'ignored';
  const step = spec.steps[event.branch]!;
  const { outcome } = event;
  record(draft, {
    kind: 'answered',
    ...named(event.branch, event.op),
    attempt: event.attempt,
    outcome: outcome.class,
    code: outcome.code,
    durationMs: outcome.durationMs,
    detail: outcome.detail === '' ? null : outcome.detail,
  });
  const settledAt = outcome.exchange === 'broken' ? overAt(running, step) : running.settledAt;
  switch (verdictOf(outcome, step, event.op)) {
    case 'success':
      setOp(draft, event.branch, event.op, { at: 'succeed', attempts: running.attempts, settledAt });
      break;
    case 'failure':
      setOp(draft, event.branch, event.op, { at: 'failed', attempts: running.attempts, settledAt });
      if (mayUndo(draft, spec)) rollBack(draft, refusalReason(spec, event.branch, outcome));
      break;
    case 'ongoing':
      waitForMore(draft, event, running, { settledAt, delayMs: ongoingDelayMs(policyOf(step, event.op), draft.jitter) });
      break;
    case 'unknown':
      withoutVerdict(draft, spec, { index: event.branch, op: event.op, running, settledAt, outcome });
      break;
  }
  restate(draft);
  return 'taken';
}

/** A refusal counts as one only for what may be refused: an action before the point of no return. */
function verdictOf(outcome: Outcome, step: SagaStep, op: Op): Outcome['class'] {
  const refusable = op === 'action' && step.kind !== 'retriable';
  return outcome.class === 'failure' && !refusable ? 'unknown' : outcome.class;
}

function waitForMore(draft: Draft, event: Answered, running: RunningOp, pause: { settledAt: EpochMs; delayMs: number }): void {
  setOp(draft, event.branch, event.op, {
    at: 'waiting',
    attempts: running.attempts,
    settledAt: pause.settledAt,
    unknowns: running.unknowns,
    dueAt: epochMs(draft.at + pause.delayMs),
  });
}

interface Unresolved {
  readonly index: number;
  readonly op: Op;
  readonly running: RunningOp;
  readonly settledAt: EpochMs;
  readonly outcome: Pick<Outcome, 'exchange' | 'code' | 'detail'>;
}

/** An attempt ended and nobody knows how: wait and try again, or end as the policy says. */
function withoutVerdict(draft: Draft, spec: SagaSpec, attempt: Unresolved): void {
  const { index, op, running, settledAt, outcome } = attempt;
  const policy = policyOf(spec.steps[index]!, op);
  const unknowns = running.unknowns + (outcome.exchange === 'unsent' ? 0 : 1);
  const again = mayRetry(policy, unknowns);
  const delayMs = again ? retryDelayMs(policy, Math.max(unknowns, 1), draft.jitter) : 0;
  setOp(draft, index, op, { at: 'waiting', attempts: running.attempts, settledAt, unknowns, dueAt: epochMs(draft.at + delayMs) });
  if (again || (op === 'action' && draft.tx.status === 'aborting')) return;
  if (op === 'action' && policy.atEnd === 'roll-back' && mayUndo(draft, spec)) {
    rollBack(draft, exhaustedReason(spec, index, outcome));
  } else {
    hold(draft, index, op, unknowns);
  }
}

function hold(draft: Draft, index: number, op: Op, unknowns: number): void {
  draft.tx.hold = { code: 'attempts-exhausted', branchId: branchIdOfStep(index), op };
  record(draft, {
    kind: 'held',
    ...named(index, op),
    code: 'attempts-exhausted',
    detail: `${unknowns} attempts without a verdict`,
  });
}

// ── taking over, intervening ───────────────────────────────────────────────────────────────────────────────────────

/** Calls of the former owner may still run at the participant until their time is over; the first is tried anew at once. */
function recovered(draft: Draft, spec: SagaSpec): Verdict {
  const outcome = { exchange: 'broken', code: 'interrupted', detail: 'the coordinator stopped before the answer came' } as const;
  draft.branches.forEach((branch, index) => {
    for (const op of ['action', 'compensate'] as const) {
      const running = branch[op];
      if (running.at !== 'running') continue;
      record(draft, { kind: 'interrupted', ...named(index, op), attempt: running.attempts });
      withoutVerdict(draft, spec, { index, op, running, settledAt: overAt(running, spec.steps[index]!), outcome });
      makeDueOnce(draft, index, op);
      restate(draft);
    }
  });
  return 'taken';
}

function intervened(draft: Draft, event: Intervened): Verdict {
  if (isFinished(draft.tx)) return 'already_finished';
  if (event.expectedVersion !== null && event.expectedVersion !== draft.tx.version) return 'version_conflict';
  const told = { actor: event.actor, detail: event.reason };
  switch (event.verb) {
    case 'terminate':
      record(draft, { kind: 'terminated', ...told });
      setDecision(draft, 'terminate', event.actor);
      draft.tx.reason = `terminated by ${event.actor}: ${event.reason}`;
      finish(draft, 'failed');
      break;
    case 'retry':
      record(draft, { kind: 'retried', ...told });
      release(draft);
      break;
    default:
      assertNever(event.verb);
  }
  return 'taken';
}

/** Lifts a hold and makes everything that waits due now; counting begins anew, for calls in flight too. */
function release(draft: Draft): void {
  draft.tx.hold = null;
  draft.branches.forEach((branch, index) => {
    for (const op of ['action', 'compensate'] as const) {
      const state = branch[op];
      if (state.at === 'waiting') setOp(draft, index, op, { ...state, unknowns: 0, dueAt: draft.at });
      if (state.at === 'running') setOp(draft, index, op, { ...state, unknowns: 0 });
    }
  });
}

/** Skips the pause after the first attempt without a verdict; what is cut off again may be what kills the process. */
function makeDueOnce(draft: Draft, index: number, op: Op): void {
  const state = draft.branches[index]![op];
  if (state.at === 'waiting' && state.unknowns <= 1) setOp(draft, index, op, { ...state, dueAt: draft.at });
}

// ── going on ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Starts everything that may start now, in the direction that is decided. */
function advance(draft: Draft, spec: SagaSpec): void {
  if (draft.tx.hold !== null) return;
  if (draft.tx.status === 'submitted') timeOut(draft, spec);
  if (draft.tx.status === 'submitted') forward(draft, spec);
  if (draft.tx.status === 'aborting') backward(draft, spec);
}

function timeOut(draft: Draft, spec: SagaSpec): void {
  if (spec.timeoutMs === null || draft.at < draft.tx.createdAt + spec.timeoutMs || !mayUndo(draft, spec)) return;
  record(draft, { kind: 'timed-out', detail: spec.timeoutReason });
  rollBack(draft, spec.timeoutReason);
  restate(draft);
}

/** After everything else that happens at the same moment: what finishes then is not overdue. */
function raiseAlarm(draft: Draft, spec: SagaSpec): void {
  const dueAt = alarmDueAt(draft.tx, spec);
  if (dueAt === null || draft.at < dueAt) return;
  draft.tx.overdueSince = dueAt;
  record(draft, { kind: 'overdue', detail: `not finished within ${spec.alarmAfterMs} ms` });
}

function forward(draft: Draft, spec: SagaSpec): void {
  for (let progress = true; progress; ) {
    progress = false;
    for (let index = 0; index < spec.steps.length; index++) {
      if (!mayStartAction(draft, spec, index)) continue;
      start(draft, spec, index, 'action');
      progress ||= draft.branches[index]!.action.at === 'succeed';
    }
  }
  if (draft.tx.decision === null && pastNoReturn(draft.branches, spec)) setDecision(draft, 'commit', automatic);
  if (draft.branches.every((branch) => branch.action.at === 'succeed')) finish(draft, 'succeed');
}

function mayStartAction(draft: Draft, spec: SagaSpec, index: number): boolean {
  const { action } = draft.branches[index]!;
  if (action.at === 'waiting') return action.dueAt <= draft.at;
  return action.at === 'idle' && spec.steps[index]!.after.every((other) => draft.branches[other]!.action.at === 'succeed');
}

function backward(draft: Draft, spec: SagaSpec): void {
  const dependents = dependentsOf(spec.steps);
  for (let progress = true; progress; ) {
    progress = false;
    for (let index = spec.steps.length - 1; index >= 0; index--) {
      if (!mayStartUndo(draft, spec, index, dependents[index]!)) continue;
      start(draft, spec, index, 'compensate');
      progress ||= draft.branches[index]!.compensate.at === 'succeed';
    }
  }
  if (spec.steps.every((step, index) => isUndone(draft.branches[index]!, step))) finish(draft, 'failed');
}

function mayStartUndo(draft: Draft, spec: SagaSpec, index: number, dependents: readonly number[]): boolean {
  const branch = draft.branches[index]!;
  if (isUndone(branch, spec.steps[index]!) || branch.compensate.at === 'running') return false;
  if (branch.compensate.at === 'waiting') return branch.compensate.dueAt <= draft.at;
  const { action } = branch;
  const quiet = action.at !== 'running' && action.at !== 'idle' && action.settledAt <= draft.at;
  return quiet && dependents.every((other) => isUndone(draft.branches[other]!, spec.steps[other]!));
}

/** Nothing of this step is left to undo: never started, not undoable and refused, or compensated. */
function isUndone(branch: Branch, step: SagaStep): boolean {
  return branch.action.at === 'idle' || step.kind !== 'compensatable' || branch.compensate.at === 'succeed';
}

function start(draft: Draft, spec: SagaSpec, index: number, op: Op): void {
  const before = draft.branches[index]![op];
  const waiting: Pick<WaitingOp, 'attempts' | 'settledAt' | 'unknowns'> =
    before.at === 'waiting' ? before : { attempts: 0, settledAt: never, unknowns: 0 };
  if (spec.steps[index]![op] === '') {
    setOp(draft, index, op, { at: 'succeed', attempts: 0, settledAt: never });
    return;
  }
  const attempts = waiting.attempts + 1;
  const { settledAt, unknowns } = waiting;
  setOp(draft, index, op, { at: 'running', attempts, settledAt, unknowns, startedAt: draft.at });
  const call: Effect = { type: 'call', branch: index, op, attempt: attempts };
  draft.effects.push(call);
}

// ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function rollBack(draft: Draft, reason: string): void {
  draft.tx.status = 'aborting';
  draft.tx.reason = reason;
  draft.tx.hold = null;
  setDecision(draft, 'roll-back', automatic);
}

/** Undoing is still a choice: nothing is decided and no pivot may have taken effect. */
function mayUndo(draft: Draft, spec: SagaSpec): boolean {
  if (draft.tx.decision !== null) return false;
  const pivot = spec.steps.findIndex((step) => step.kind === 'pivot');
  if (pivot === -1) return true;
  const { at } = draft.branches[pivot]!.action;
  return at === 'idle' || at === 'failed';
}

function pastNoReturn(branches: readonly Branch[], spec: SagaSpec): boolean {
  const pivot = spec.steps.findIndex((step) => step.kind === 'pivot');
  if (pivot !== -1) return branches[pivot]!.action.at === 'succeed';
  return spec.steps.every((step, index) => step.kind !== 'compensatable' || branches[index]!.action.at === 'succeed');
}

function policyOf(step: SagaStep, op: Op): RetryPolicy {
  return op === 'action' ? step.actionRetry : step.compensateRetry;
}

/** When a call that is in flight, and those before it, are over at the participant, even if no answer ever comes. */
function overAt(running: RunningOp, step: SagaStep): EpochMs {
  return epochMs(Math.max(running.settledAt, running.startedAt + step.timeoutMs));
}

function refusalReason(spec: SagaSpec, index: number, outcome: Outcome): string {
  if (spec.face === 'native') return `step ${branchIdOfStep(index)}: ${outcome.detail}`;
  return `url:${spec.steps[index]!.action} return failed: ${outcome.detail} FAILURE`;
}

function exhaustedReason(spec: SagaSpec, index: number, outcome: Pick<Outcome, 'code' | 'detail'>): string {
  const attempts = spec.steps[index]!.actionRetry.attemptsMax ?? 0;
  if (spec.face === 'dtm') return `RetryCount is greater than RetryLimit, RetryLimit: ${attempts - 1}`;
  return `step ${branchIdOfStep(index)}: no verdict after ${attempts} attempts, the last: ${outcome.code} ${outcome.detail}`.trimEnd();
}

/** When the alarm is to be raised; null: never, or it has been. */
function alarmDueAt({ createdAt, overdueSince }: Transaction, { alarmAfterMs }: SagaSpec): EpochMs | null {
  return alarmAfterMs === null || overdueSince !== null ? null : epochMs(createdAt + alarmAfterMs);
}

/** When to look again if nothing happens before. */
function wakeAt(draft: Draft, spec: SagaSpec): EpochMs | null {
  const { tx } = draft;
  if (isFinished(tx)) return null;
  const alarm = alarmDueAt(tx, spec) ?? Number.POSITIVE_INFINITY;
  const earliest = tx.hold === null ? Math.min(alarm, goesOnAt(draft, spec)) : alarm;
  return earliest === Number.POSITIVE_INFINITY ? null : epochMs(earliest);
}

/** When it can go on by itself: the next pause that ends, the next call that is over, the deadline; infinity: not before an answer. */
function goesOnAt(draft: Draft, spec: SagaSpec): number {
  const { tx, branches } = draft;
  let earliest = Number.POSITIVE_INFINITY;
  branches.forEach((branch, index) => {
    const { action, compensate } = branch;
    if (tx.status === 'submitted') {
      if (action.at === 'waiting') earliest = Math.min(earliest, action.dueAt);
    } else if (compensate.at === 'waiting') {
      earliest = Math.min(earliest, compensate.dueAt);
    } else if (compensate.at === 'idle' && action.at !== 'idle' && action.at !== 'running' && action.settledAt > draft.at) {
      if (spec.steps[index]!.kind === 'compensatable') earliest = Math.min(earliest, action.settledAt);
    }
  });
  if (tx.status === 'submitted' && spec.timeoutMs !== null && mayUndo(draft, spec))
    earliest = Math.min(earliest, tx.createdAt + spec.timeoutMs);
  return earliest;
}
