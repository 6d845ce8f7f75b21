/**
 * Two-phase message: announced before a local transaction, submitted after it; when neither submit nor abort comes, the
 * application is asked whether the local transaction was committed. Once submitted, every step is delivered.
 *
 *   prepared ──submitted │ asked: committed──▶ submitted ──all delivered──▶ succeed
 *       └─aborted │ asked: not committed──▶ failed
 *   prepared, submitted ──terminated by a human──▶ failed
 *
 * Branch 0 is the question (`00`, op `msg`), the steps are the branches from 1 on.
 *
 * Invariants, cited by tests:
 * MSG-1: No step is called before submit, or before the application has answered that its transaction was committed.
 * MSG-2: The decision is made once: by submit, by abort or by the answer to the question; what comes later changes nothing.
 * MSG-3: The question is asked only while prepared, not before its time, and again until it has a verdict.
 * MSG-4: A submitted message is never undone; a step is tried until it succeeds, or held when its policy ends.
 * MSG-5: Steps are delivered one after the other, the subscribers of one topic at once; everything at once when concurrent;
 *   nothing before the delay has passed.
 * MSG-6: A message that names nobody to ask is held when the time to ask has come, never delivered on a guess.
 * MSG-7: What is delivered at once does not wait for each other: one that is not reached, or held, keeps nobody from the message.
 */

import type { MsgSpec } from '../request/spec.ts';
import type { OpName, RequestEvent, Verdict } from '../transaction/event.ts';
import { type BranchId, type EpochMs, epochMs, stepOfDelivery } from '../words/ids.ts';
import { limits } from '../words/limits.ts';
import { mayRetry } from '../words/retry.ts';
import { earlier, mayStart, pauseEndsAt, start } from './attempts.ts';
import { automatic, type Draft, finish, hold, keepRecord, note, restate, setDecision, setOp } from './draft.ts';
import type { CallTable, ModeLogic, Standing } from './mode.ts';

type MsgDraft = Draft<MsgSpec>;

/** Branch id of the question, as DTM's clients and barriers know it. */
const questionId = '00' as BranchId;

const calls: CallTable<MsgSpec> = {
  branchId: ({ spec }, index) => (index === 0 ? questionId : spec.steps[index - 1]!.branchId),
  op: (index) => (index === 0 ? 'msg' : 'action'),
  url: ({ spec }, index) => (index === 0 ? spec.query : spec.steps[index - 1]!.action),
  payload: ({ spec }, index) => (index === 0 ? noBytes : spec.payloads[index - 1]!),
  timeoutMs: ({ spec }) => spec.callTimeoutMs,
  retry: ({ spec }) => spec.retry,
  mayBeRefused: (draft, index) => index === 0 && draft.tx.status === 'prepared',
  onAgreed(draft, index) {
    if (index === 0 && draft.tx.status === 'prepared') submit(draft);
  },
  onRefused(draft, _index, outcome) {
    fail(draft, outcome.detail === '' ? 'the local transaction was not committed' : outcome.detail);
  },
  onExhausted(draft, index) {
    // A question that nobody needs an answer to any more does not hold the message.
    if (index === 0) return draft.tx.status !== 'prepared';
    giveUpAsBefore(draft);
    giveUp(draft, index);
    return false;
  },
};

const noBytes = new Uint8Array(0);

/** The mode. */
export const msg: ModeLogic<MsgSpec> = {
  branchesAtFirst: (spec) => spec.steps.length + 1,
  beginsAs(request) {
    return request.type === 'prepared' || request.type === 'submitted' ? request.type : null;
  },
  onBegun(draft) {
    if (draft.tx.status === 'submitted') setDecision(draft, 'commit', automatic);
  },
  request: takeRequest,
  advance(draft) {
    if (draft.tx.status === 'prepared') ask(draft);
    if (draft.tx.status === 'submitted') deliver(draft);
  },
  wakeAt(draft) {
    const { forward } = draft.branches[0]!;
    if (draft.tx.status === 'prepared') return draft.at < askAt(draft) ? askAt(draft) : pauseEndsAt(draft, forward);
    if (draft.at < deliverAt(draft)) return deliverAt(draft);
    return nextDeliveryAt(draft);
  },
  whileHeld(draft) {
    const held = findHeld(draft);
    if (held === null) return;
    giveUpAsBefore(draft);
    deliverAround(draft, held);
  },
  wakeAtHeld: (draft) => (findHeld(draft) === null ? null : nextDeliveryAt(draft)),
  calls,
  ahead: { mayStart: (_draft, { branch }) => branch > 0, reachable },
};

/** Deliveries, up to the first group that one is missing from for another reason than its turn. */
function reachable({ tx, given }: Standing<MsgSpec>): readonly OpName[] {
  if (tx.status !== 'submitted' || deliverAt({ tx, given }) > tx.updatedAt + limits.runAheadMsMax) return [];
  const found: OpName[] = [];
  let group = '';
  let isCut = false;
  for (let branch = 1; branch < tx.branches.length; branch++) {
    const next = groupOf({ given }, branch);
    if (isCut && next !== group) break;
    group = next;
    const { at } = tx.branches[branch]!.forward;
    if (at === 'idle') found.push({ branch, way: 'forward' });
    else if (at !== 'succeed' && at !== 'running') isCut = true;
  }
  return found;
}

function takeRequest(draft: MsgDraft, request: RequestEvent): Verdict {
  const { status } = draft.tx;
  switch (request.type) {
    case 'prepared':
      return status === 'prepared' ? 'repeated' : 'wrong_status';
    case 'submitted':
      if (status === 'submitted') return 'repeated';
      if (status !== 'prepared') return 'wrong_status';
      note(draft, { kind: 'submitted' });
      if (request.notBefore !== undefined) keepRecord(draft, { kind: 'not-before', at: request.notBefore });
      submit(draft);
      restate(draft);
      return 'taken';
    case 'aborted':
      if (status !== 'prepared') return 'wrong_status';
      note(draft, { kind: 'aborted', detail: request.reason === '' ? null : request.reason });
      fail(draft, request.reason);
      return 'taken';
    default:
      return 'wrong_mode';
  }
}

function submit(draft: MsgDraft): void {
  draft.tx.status = 'submitted';
  draft.tx.hold = null;
  setDecision(draft, 'commit', automatic);
}

function fail(draft: MsgDraft, reason: string): void {
  draft.tx.reason = reason;
  setDecision(draft, 'roll-back', automatic);
  finish(draft, 'failed');
}

function ask(draft: MsgDraft): void {
  if (draft.at < askAt(draft)) return;
  if (draft.given.spec.query === '')
    return hold(draft, {
      code: 'nobody-to-ask',
      branchId: questionId,
      op: 'msg',
      detail: 'it was prepared without an address to ask, and neither submitted nor aborted in time',
    });
  if (mayStart(draft, draft.branches[0]!.forward)) start(draft, calls, 0, 'forward');
}

function deliver(draft: MsgDraft): void {
  if (draft.at < deliverAt(draft)) return;
  settleQuestion(draft);
  let group = '';
  let isOpen = false;
  for (let index = 1; index < draft.branches.length; index++) {
    const next = groupOf(draft, index);
    if (isOpen && next !== group) return;
    group = next;
    if (!tryDelivery(draft, index)) isOpen = true;
  }
  if (!isOpen) finish(draft, 'succeed');
}

/** Index of the delivery that it is held for; null: of none, as when it cannot be read. */
function findHeld({ tx: { status, hold }, given }: MsgDraft): number | null {
  if (status !== 'submitted' || hold === null || hold.code === 'unreadable') return null;
  const step = given.spec.steps.findIndex(({ branchId }) => branchId === hold.branchId);
  return step === -1 ? null : step + 1;
}

/** One delivery must wait for a human; those that would be made at the same time are made all the same. */
function deliverAround(draft: MsgDraft, held: number): void {
  const group = groupOf(draft, held);
  for (let index = 1; index < draft.branches.length; index++) if (groupOf(draft, index) === group) tryDelivery(draft, index);
}

/**
 * Equal for deliveries that are made at once: all of them when concurrent, else those of one step, which are several for a topic.
 */
function groupOf({ given: { spec } }: Pick<MsgDraft, 'given'>, index: number): string {
  return spec.concurrent ? '' : stepOfDelivery(spec.steps[index - 1]!.branchId);
}

/** Whether a delivery has been made; if it may be tried now, it is. */
function tryDelivery(draft: MsgDraft, index: number): boolean {
  const { forward } = draft.branches[index]!;
  if (forward.at === 'succeed') return true;
  return mayStart(draft, forward) && start(draft, calls, index, 'forward');
}

/** It is not called any more until a human has it tried again. */
function giveUp(draft: MsgDraft, index: number): void {
  const { forward } = draft.branches[index]!;
  if (forward.at !== 'waiting') return;
  const { attempts, settledAt, unknowns } = forward;
  setOp(draft, index, 'forward', { at: 'given-up', attempts, settledAt, unknowns });
}

/**
 * Up to format 2 of states what is given up was waiting: the delivery that the hold names, and those whose attempts are used up.
 */
function giveUpAsBefore(draft: MsgDraft): void {
  const held = findHeld(draft);
  for (let index = 1; index < draft.branches.length; index++) {
    const { forward } = draft.branches[index]!;
    const isOver = index === held || (forward.at === 'waiting' && !mayRetry(draft.given.spec.retry, forward.unknowns));
    if (isOver) giveUp(draft, index);
  }
}

function nextDeliveryAt(draft: MsgDraft): EpochMs | null {
  return draft.branches.slice(1).reduce<EpochMs | null>((at, { forward: step }) => earlier(at, pauseEndsAt(draft, step)), null);
}

/** A question that waits to be asked again has become pointless. */
function settleQuestion(draft: MsgDraft): void {
  const { forward } = draft.branches[0]!;
  if (forward.at === 'waiting')
    setOp(draft, 0, 'forward', { at: 'succeed', attempts: forward.attempts, settledAt: forward.settledAt });
}

function askAt({ tx, given }: MsgDraft): EpochMs {
  return epochMs(tx.createdAt + given.spec.askAfterMs);
}

/** What its preparation and its submission say, whichever is later. */
function deliverAt({ tx, given }: Standing<MsgSpec>): EpochMs {
  return epochMs(Math.max(deliveryBeginsAt(given.spec, tx.createdAt), given.notBefore ?? 0));
}

/** The moment before which nothing of a message that was created then is delivered, as its spec has it. */
export function deliveryBeginsAt({ delayMs, notBefore }: Pick<MsgSpec, 'delayMs' | 'notBefore'>, createdAt: EpochMs): EpochMs {
  return epochMs(Math.max(createdAt + delayMs, notBefore ?? 0));
}
