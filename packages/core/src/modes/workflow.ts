/**
 * Workflow: the application runs a function whose steps it records here; when it dies in the middle, the function is run
 * again, and gets for each recorded step what it got the first time.
 *
 *   prepared ──concluded: succeeded──▶ succeed
 *       └─concluded: failed──▶ failed
 *   prepared ──terminated by a human──▶ failed
 *
 * Branch 0 is the call that has the function run again (`00`, op `resume`).
 *
 * Invariants, cited by tests:
 * WF-1: A step is recorded once: the same result again is accepted, another one refused. So of two live executions of one
 *   workflow only one result of a step exists, and whoever lost must go on with it.
 * WF-2: Steps are recorded only while the workflow is prepared.
 * WF-3: It ends once, as its function concluded: succeeded or failed, nothing else.
 * WF-4: While it is prepared its function is run again after every quiet interval; each recorded step is a sign of life that
 *   begins the interval anew.
 * WF-5: The answer to a resume call decides nothing: the function concludes by itself. One that says that a human has to look
 *   puts the workflow on hold.
 */

import { sameContent } from '../request/same-content.ts';
import type { WorkflowSpec } from '../request/spec.ts';
import type { Concluded, Registered, RequestEvent, Verdict } from '../transaction/event.ts';
import { type BranchId, epochMs } from '../words/ids.ts';
import { mayStart, nextAttemptAt, start } from './attempts.ts';
import { automatic, type Draft, finish, keepRecord, note, setDecision, setOp } from './draft.ts';
import type { CallTable, ModeLogic } from './mode.ts';
import { join, sameBranch } from './registration.ts';

type WorkflowDraft = Draft<WorkflowSpec>;

const resumeId = '00' as BranchId;

const calls: CallTable<WorkflowSpec> = {
  branchId: () => resumeId,
  op: () => 'resume',
  url: ({ spec }) => spec.resume,
  payload: ({ spec }) => spec.payloads[0]!,
  timeoutMs: ({ spec }) => spec.callTimeoutMs,
  retry: ({ spec }) => spec.retry,
  mayBeRefused: () => false,
  onAgreed: waitAgain,
  onRefused: () => {},
  onExhausted: () => false,
};

/** The mode. */
export const workflow: ModeLogic<WorkflowSpec> = {
  branchesAtFirst: () => 1,
  beginsAs: (request) => (request.type === 'prepared' ? 'prepared' : null),
  request: takeRequest,
  advance(draft) {
    const { forward } = draft.branches[0]!;
    if (forward.at === 'idle') waitAgain(draft);
    else if (mayStart(draft, forward) && draft.given.spec.resume !== '') start(draft, calls, 0, 'forward');
  },
  wakeAt: (draft) => (draft.given.spec.resume === '' ? null : nextAttemptAt(draft, 'forward')),
  calls,
};

/** The next run of the function, if nothing is heard of it before. */
function waitAgain(draft: WorkflowDraft): void {
  const { forward } = draft.branches[0]!;
  if (forward.at === 'running') return;
  const attempts = forward.at === 'idle' ? 0 : forward.attempts;
  const before = forward.at === 'waiting' ? forward.dueAt : draft.at;
  const dueAt = epochMs(Math.max(before, draft.at + draft.given.spec.retry.delayMs));
  setOp(draft, 0, 'forward', { at: 'waiting', attempts, settledAt: epochMs(0), unknowns: 0, dueAt });
}

function takeRequest(draft: WorkflowDraft, request: RequestEvent): Verdict {
  switch (request.type) {
    case 'prepared':
      return 'repeated';
    case 'registered':
      return register(draft, request);
    case 'concluded':
      return conclude(draft, request);
    default:
      return 'wrong_mode';
  }
}

function register(draft: WorkflowDraft, { branch }: Registered): Verdict {
  if (branch.kind !== 'progress') return 'wrong_mode';
  const known = draft.given.registered.find(
    (other) => other.kind === 'progress' && other.branchId === branch.branchId && other.op === branch.op,
  );
  if (known !== undefined) return sameBranch(known, branch) ? 'repeated' : 'different';
  if (draft.tx.status !== 'prepared') return 'wrong_status';
  const verdict = join(draft, branch);
  if (verdict === 'taken') waitAgain(draft);
  return verdict;
}

function conclude(draft: WorkflowDraft, conclusion: Concluded): Verdict {
  const { status, reason, result } = conclusion;
  if (draft.tx.status !== 'prepared') return concludeAgain(draft, conclusion);
  note(draft, { kind: 'concluded', detail: reason === '' ? null : reason });
  if (result.byteLength > 0) keepRecord(draft, { kind: 'result', content: result });
  draft.tx.reason = reason;
  setDecision(draft, status === 'succeed' ? 'commit' : 'roll-back', automatic);
  finish(draft, status);
  return 'taken';
}

const nothing = new Uint8Array(0);

function concludeAgain({ tx, given }: WorkflowDraft, { status, reason, result }: Concluded): Verdict {
  if (tx.status !== status) return 'wrong_status';
  const isSame = tx.reason === reason && sameContent(given.result ?? nothing, result);
  // What a human has ended has failed, whatever its function would have said. Ended while it could not be read, it has no
  // decision.
  return isSame || (tx.decision?.direction ?? 'terminate') === 'terminate' ? 'repeated' : 'different';
}
