/**
 * What tcc and xa share: branches join while the transaction is prepared; submitting it decides that the second phase of all
 * goes forward, aborting it or letting its time pass that it goes backward. The two differ in the names of their ops and in
 * the order in which branches are called.
 *
 * Invariants, cited by tests:
 * PHASE-1: Branches join only while the transaction is prepared; the same branch again must say the same.
 * PHASE-2: The decision is made once, by submit, abort or time-out, and precedes every call of the second phase.
 * PHASE-3: A branch goes forward only after submit, backward only after the decision to roll back; never both.
 * PHASE-4: Every registered branch goes forward, or every one goes backward, also one whose first phase may never have come.
 * PHASE-5: Branches are called one after the other; the next only when the one before it agreed.
 * PHASE-6: A call of the second phase is tried until it succeeds, or held when its policy ends; a refusal is no verdict.
 */

import type { TccSpec, XaSpec } from '../request/spec.ts';
import type { OpName, Registered, RequestEvent, Verdict } from '../transaction/event.ts';
import type { Participant, RegisteredBranch } from '../transaction/given.ts';
import { type EpochMs, epochMs } from '../words/ids.ts';
import type { Op, Way } from '../words/op.ts';
import { mayStart, nextAttemptAt, start } from './attempts.ts';
import { automatic, type Draft, finish, note, restate, rollBack, setDecision } from './draft.ts';
import type { CallTable, ModeLogic, Standing } from './mode.ts';
import { join, sameBranch } from './registration.ts';

type TwoPhaseSpec = TccSpec | XaSpec;

/** How a mode of two phases differs from the other. */
export interface SecondPhase {
  readonly ops: Readonly<Record<Way, Op>>;
  /** Whether the branch that was registered last is called first. */
  readonly lastFirst: boolean;
}

/** The mode. */
export function secondPhase<S extends TwoPhaseSpec>({ ops, lastFirst }: SecondPhase): ModeLogic<S> {
  const calls = callTable<S>(ops);
  return {
    branchesAtFirst: () => 0,
    beginsAs: (request) => (request.type === 'prepared' ? 'prepared' : null),
    request: (draft, request) => takeRequest(draft, request),
    advance(draft) {
      timeOut(draft);
      if (draft.tx.status === 'submitted') callInOrder(draft, calls, { way: 'forward', lastFirst });
      if (draft.tx.status === 'aborting') callInOrder(draft, calls, { way: 'backward', lastFirst });
    },
    wakeAt(draft) {
      if (draft.tx.status === 'prepared') return timeoutAt(draft);
      return nextAttemptAt(draft, draft.tx.status === 'submitted' ? 'forward' : 'backward');
    },
    calls,
    ahead: { mayStart: () => true, reachable },
  };
}

/** What was decided is done to all, one after the other. */
function reachable<S extends TwoPhaseSpec>({ tx }: Standing<S>): readonly OpName[] {
  if (tx.status !== 'submitted' && tx.status !== 'aborting') return [];
  const way = tx.status === 'submitted' ? 'forward' : 'backward';
  return tx.branches.flatMap((states, branch) => (states[way].at === 'idle' ? [{ branch, way }] : []));
}

function callTable<S extends TwoPhaseSpec>(ops: Readonly<Record<Way, Op>>): CallTable<S> {
  const participant = (given: { readonly registered: readonly RegisteredBranch[] }, index: number) =>
    given.registered[index] as Participant;
  return {
    branchId: (given, index) => participant(given, index).branchId,
    op: (_index, way) => ops[way],
    url: (given, index, way) => participant(given, index)[way],
    payload: (given, index) => participant(given, index).payload,
    timeoutMs: ({ spec }) => spec.callTimeoutMs,
    retry: ({ spec }) => spec.retry,
    // What was promised in the first phase cannot be refused in the second.
    mayBeRefused: () => false,
    onRefused: () => {},
    onExhausted: () => false,
  };
}

function takeRequest<S extends TwoPhaseSpec>(draft: Draft<S>, request: RequestEvent): Verdict {
  const { status } = draft.tx;
  switch (request.type) {
    case 'prepared':
      return status === 'prepared' ? 'repeated' : 'wrong_status';
    case 'registered':
      return register(draft, request);
    case 'submitted':
      if (status === 'submitted') return 'repeated';
      if (status !== 'prepared') return 'wrong_status';
      note(draft, { kind: 'submitted' });
      draft.tx.status = 'submitted';
      setDecision(draft, 'commit', automatic);
      restate(draft);
      return 'taken';
    case 'aborted':
      if (status === 'aborting') return 'repeated';
      if (status !== 'prepared') return 'wrong_status';
      note(draft, { kind: 'aborted', detail: request.reason === '' ? null : request.reason });
      rollBack(draft, request.reason);
      restate(draft);
      return 'taken';
    default:
      return 'wrong_mode';
  }
}

function register<S extends TwoPhaseSpec>(draft: Draft<S>, { branch }: Registered): Verdict {
  if (branch.kind !== 'participant') return 'wrong_mode';
  if (draft.tx.status !== 'prepared') return 'wrong_status';
  const known = draft.given.registered.find(({ branchId }) => branchId === branch.branchId);
  if (known !== undefined) return sameBranch(known, branch) ? 'repeated' : 'different';
  return join(draft, branch);
}

function timeOut<S extends TwoPhaseSpec>(draft: Draft<S>): void {
  const { timeoutReason } = draft.given.spec;
  if (draft.tx.status !== 'prepared' || draft.at < timeoutAt(draft)) return;
  note(draft, { kind: 'timed-out', detail: timeoutReason });
  rollBack(draft, timeoutReason);
  restate(draft);
}

function timeoutAt<S extends TwoPhaseSpec>({ tx, given }: Draft<S>): EpochMs {
  return epochMs(tx.createdAt + given.spec.timeoutMs);
}

/** One branch at a time: the next is called when the one before it has agreed. */
function callInOrder<S extends TwoPhaseSpec>(
  draft: Draft<S>,
  calls: CallTable<S>,
  { way, lastFirst }: { readonly way: Way; readonly lastFirst: boolean },
): void {
  const { branches } = draft;
  for (let place = 0; place < branches.length; place++) {
    const index = lastFirst ? branches.length - 1 - place : place;
    const state = branches[index]![way];
    if (state.at === 'succeed') continue;
    if (!mayStart(draft, state) || !start(draft, calls, index, way)) return;
  }
  finish(draft, way === 'forward' ? 'succeed' : 'failed');
}
