/**
 * Attempts at calls, the same in every mode: starting one, what its answer means, waiting for the next, giving up, and
 * what a take-over makes of those in flight.
 *
 * Invariants, cited by tests:
 * CALL-1: An attempt that is in flight is in the state with its number and start; one that a crash cut off counts.
 * CALL-2: An answer counts once, for the attempt that is in flight; any other is ignored.
 * CALL-3: While on hold nothing is called; only a human's act, a verdict still under way, or the time-out of a saga that may
 *   still be undone changes that: whoever set the time wants it undone then, whatever it waits for.
 * CALL-4: An address that may not be called holds the transaction at once, whatever the policy says; its step has done nothing.
 *   So does a participant which says that a human has to look, for it knows that neither another call nor an undo can be right.
 * CALL-5: A call has its place at the participant before it is started; what waits for one is neither sent nor undone when the
 *   transaction is decided against.
 */

import type { Spec } from '../request/spec.ts';
import type { Answered, Verdict } from '../transaction/event.ts';
import { isFinished, type OpState, type RunningOp, type WaitingOp } from '../transaction/transaction.ts';
import { type EpochMs, epochMs } from '../words/ids.ts';
import { type Way, ways } from '../words/op.ts';
import type { Outcome } from '../words/outcome.ts';
import { mayRetry, ongoingDelayMs, retryDelayMs } from '../words/retry.ts';
import { type Draft, hold, note, opKey, restate, setOp } from './draft.ts';
import type { CallTable, LastAttempt } from './mode.ts';

/** Code of an outcome: the participant says that a human has to look before the call can succeed. */
export const participantStuck = 'participant_stuck';

const never = epochMs(0);

/**
 * Begins the next attempt at an op that has a place at its participant, else lets it wait for one: waiting is no attempt.
 * An empty URL succeeds without a call. @returns whether it has succeeded already
 */
export function start<S extends Spec>(draft: Draft<S>, calls: CallTable<S>, index: number, way: Way): boolean {
  const before = draft.branches[index]![way];
  const url = calls.url(draft.given, index, way);
  if (url === '') {
    setOp(draft, index, way, { at: 'succeed', attempts: 0, settledAt: never });
    return true;
  }
  const key = opKey({ branch: index, way });
  if (draft.places === null || !draft.places.has(key)) {
    draft.ready ??= new Map();
    draft.ready.set(key, { branch: index, way, url });
    return false;
  }
  const { attempts, settledAt, unknowns }: Pick<WaitingOp, 'attempts' | 'settledAt' | 'unknowns'> =
    before.at === 'waiting' ? before : { attempts: 0, settledAt: never, unknowns: 0 };
  setOp(draft, index, way, { at: 'running', attempts: attempts + 1, settledAt, unknowns, startedAt: draft.at });
  draft.effects.push({ type: 'call', branch: index, way, attempt: attempts + 1 });
  return false;
}

/** Whether an op that has not been started, or waits, may be called now. */
export function mayStart(draft: Draft, state: OpState): boolean {
  return state.at === 'idle' || (state.at === 'waiting' && state.dueAt <= draft.at);
}

/** What the end of an attempt means. */
export function takeAnswer<S extends Spec>(draft: Draft<S>, calls: CallTable<S>, event: Answered): Verdict {
  const { branch: index, way, attempt, outcome } = event;
  const running = draft.branches[index]?.[way];
  if (isFinished(draft.tx) || running?.at !== 'running' || running.attempts !== attempt) return 'ignored';
  note(draft, {
    kind: 'answered',
    branchId: calls.branchId(draft.given, index),
    op: calls.op(index, way),
    attempt,
    outcome: outcome.class,
    code: outcome.code,
    durationMs: outcome.durationMs,
    detail: outcome.detail === '' ? null : outcome.detail,
  });
  const settledAt = outcome.exchange === 'broken' ? overAt(draft, calls, index, running) : running.settledAt;
  judge(draft, calls, { index, way, running, settledAt }, outcome);
  restate(draft);
  return 'taken';
}

interface Attempt {
  readonly index: number;
  readonly way: Way;
  readonly running: RunningOp;
  readonly settledAt: EpochMs;
}

function judge<S extends Spec>(draft: Draft<S>, calls: CallTable<S>, attempt: Attempt, outcome: Outcome): void {
  const { index, way, running, settledAt } = attempt;
  const { attempts } = running;
  switch (verdictOf(draft, calls, attempt, outcome)) {
    case 'success':
      setOp(draft, index, way, { at: 'succeed', attempts, settledAt });
      calls.onAgreed?.(draft, index, way, outcome);
      break;
    case 'failure':
      setOp(draft, index, way, { at: 'failed', attempts, settledAt });
      calls.onRefused(draft, index, outcome);
      break;
    case 'ongoing':
      wait(draft, attempt, {
        unknowns: running.unknowns,
        delayMs: ongoingDelayMs(policyOf(draft, calls, attempt), draft.jitter),
      });
      break;
    case 'unknown':
      takeUnknown(draft, calls, attempt, outcome);
      break;
  }
}

function verdictOf<S extends Spec>(draft: Draft<S>, calls: CallTable<S>, { index, way }: Attempt, outcome: Outcome) {
  return outcome.class === 'failure' && !calls.mayBeRefused(draft, index, way) ? 'unknown' : outcome.class;
}

function policyOf<S extends Spec>(draft: Draft<S>, calls: CallTable<S>, { index, way }: Attempt) {
  return calls.retry(draft.given, index, way);
}

function wait(draft: Draft, attempt: Attempt, { unknowns, delayMs }: { unknowns: number; delayMs: number }): void {
  const { index, way, running, settledAt } = attempt;
  const dueAt = epochMs(draft.at + delayMs);
  setOp(draft, index, way, { at: 'waiting', attempts: running.attempts, settledAt, unknowns, dueAt });
}

/**
 * An attempt ended and nobody knows how: wait and try again, or end as the policy says. Where trying again leads nowhere it is
 * for a human at once.
 */
function takeUnknown<S extends Spec>(draft: Draft<S>, calls: CallTable<S>, attempt: Attempt, last: LastAttempt): void {
  const { index, way, running } = attempt;
  const policy = policyOf(draft, calls, attempt);
  const unknowns = running.unknowns + (last.exchange === 'unsent' ? 0 : 1);
  const hopeless = whyHopeless(last);
  const again = hopeless === null && mayRetry(policy, unknowns);
  wait(draft, attempt, { unknowns, delayMs: again ? retryDelayMs(policy, Math.max(unknowns, 1), draft.jitter) : 0 });
  if (again || calls.onExhausted(draft, index, way, last)) return;
  hold(draft, {
    code: hopeless ?? 'attempts-exhausted',
    branchId: calls.branchId(draft.given, index),
    op: calls.op(index, way),
    detail: hopeless === null ? `${unknowns} attempts without a verdict` : last.detail,
  });
}

/** Why another attempt would end like the last: its address may not be called, or the participant says so; null: it may not. */
export function whyHopeless({ exchange, code }: LastAttempt): 'address-forbidden' | 'participant-stuck' | null {
  if (exchange === 'forbidden') return 'address-forbidden';
  return code === participantStuck ? 'participant-stuck' : null;
}

const interruption: LastAttempt = {
  exchange: 'broken',
  code: 'interrupted',
  detail: 'the coordinator stopped before the answer came',
};

/** Calls of the former owner may still run at the participant until their time is over; the first is tried anew at once. */
export function interrupt<S extends Spec>(draft: Draft<S>, calls: CallTable<S>): void {
  for (let index = 0; index < draft.branches.length; index++) {
    for (const way of ways) {
      const running = draft.branches[index]![way];
      if (running.at !== 'running') continue;
      const branchId = calls.branchId(draft.given, index);
      note(draft, { kind: 'interrupted', branchId, op: calls.op(index, way), attempt: running.attempts });
      takeUnknown(draft, calls, { index, way, running, settledAt: overAt(draft, calls, index, running) }, interruption);
      makeDueOnce(draft, index, way);
      restate(draft);
    }
  }
}

/**
 * Skips the pause, if there is one, after the first attempt without a verdict; what is cut off again may be what kills the
 * process.
 */
function makeDueOnce(draft: Draft, index: number, way: Way): void {
  const state = draft.branches[index]![way];
  if (state.at !== 'waiting' || state.unknowns > 1 || state.dueAt <= draft.at) return;
  setOp(draft, index, way, { ...state, dueAt: draft.at });
}

/** Makes everything that waits due now; counting begins anew, for calls in flight too. */
export function release(draft: Draft): void {
  draft.tx.hold = null;
  draft.branches.forEach((branch, index) => {
    for (const way of ways) {
      const state = branch[way];
      if (state.at === 'waiting' || state.at === 'given-up')
        setOp(draft, index, way, { ...state, at: 'waiting', unknowns: 0, dueAt: draft.at });
      if (state.at === 'running') setOp(draft, index, way, { ...state, unknowns: 0 });
    }
  });
}

/** When a call that is in flight, and those before it, are over at the participant, even if no answer ever comes. */
function overAt<S extends Spec>(draft: Draft<S>, calls: CallTable<S>, index: number, running: RunningOp): EpochMs {
  return epochMs(Math.max(running.settledAt, running.startedAt + calls.timeoutMs(draft.given, index)));
}

/** The earlier of two moments, null being never. */
export function earlier(one: EpochMs | null, other: EpochMs | null): EpochMs | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

/** The end of a pause that is not over yet; null: it is over, or there is none. */
export function pauseEndsAt(draft: Draft, state: OpState): EpochMs | null {
  return state.at === 'waiting' && state.dueAt > draft.at ? state.dueAt : null;
}

/** When the next attempt on one way is due; null: no pause is under way. */
export function nextAttemptAt(draft: Draft, way: Way): EpochMs | null {
  let earliest: EpochMs | null = null;
  for (const branch of draft.branches) earliest = earlier(earliest, pauseEndsAt(draft, branch[way]));
  return earliest;
}
