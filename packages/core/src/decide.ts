/** The whole business logic of Amends: what a transaction's mode makes of the events. One file per mode. */
import { earlier, interrupt, release, takeAnswer } from './modes/attempts.ts';
import { type Draft, finish, note, openDraft, opKey, setDecision, untouched } from './modes/draft.ts';
import type { ModeLogic } from './modes/mode.ts';
import { msg } from './modes/msg.ts';
import { doubt, mayWait, windowEnd } from './modes/run-ahead.ts';
import { saga } from './modes/saga.ts';
import { tcc } from './modes/tcc.ts';
import { workflow } from './modes/workflow.ts';
import { xa } from './modes/xa.ts';
import type { Mode, Spec } from './request/spec.ts';
import type { Decided, Intervened, OpName, ReadyCall, RequestEvent, TransactionEvent, Verdict } from './transaction/event.ts';
import type { Given } from './transaction/given.ts';
import { isFinished, type Transaction } from './transaction/transaction.ts';
import { assertNever } from './words/errors.ts';
import { type BranchId, type EpochMs, epochMs } from './words/ids.ts';
import { type Op, ways } from './words/op.ts';

const modes: { readonly [M in Mode]: ModeLogic<Extract<Spec, { mode: M }>> } = { saga, msg, tcc, xa, workflow };

function logicOf(spec: Spec): ModeLogic<Spec> {
  const logic = modes[spec.mode] as ModeLogic<Spec> | undefined;
  if (logic === undefined) throw new Error(`mode ${String(spec.mode)} is not known to this version`);
  return logic;
}

/**
 * Decides, purely: the same arguments give the same answer.
 *
 * ALARM-1: In every mode an alarm is raised once, when it is due and the transaction is not finished, on hold or not; it changes
 *   nothing else.
 * @param before the transaction as of the last commit, or as far ahead of it as its owner has come; null when `events` begins
 * with the request that it begins with
 * @param events at least one, in the order they happened
 */
export function decide(before: Transaction | null, given: Given, events: readonly TransactionEvent[]): Decided {
  const logic = logicOf(given.spec);
  const draft = openDraft(before ?? begin(logic, given.spec, events[0]!), given);
  const verdicts = events.map((event, index) => apply(logic, draft, event, before === null && index === 0));
  if (draft.tx.hold !== null) logic.whileHeld?.(draft);
  if (!isFinished(draft.tx) && draft.tx.hold === null) advance(logic, draft);
  if (!isFinished(draft.tx)) raiseAlarm(draft);
  const wakeAt = wakeAtOf(logic, draft);
  const ready = readyOf(draft);
  if (before !== null && !draft.changed) return { ...unchanged, next: before, ready, verdicts, wakeAt };
  draft.tx.updatedAt = draft.at;
  const { tx: next, history, records, effects } = draft;
  const mustCommit = before === null || !mayWait(before, draft, logic.ahead);
  return { next, history, records, effects, mustCommit, ready, verdicts, wakeAt };
}

const unchanged = { history: [], records: [], effects: [], mustCommit: false } as const;

/**
 * Until when whoever commits a transaction now may run ahead of its next commit; null: there is nothing that it could start so.
 */
export function runsAheadUntil(tx: Transaction, given: Given): EpochMs | null {
  return windowEnd(tx, given, logicOf(given.spec).ahead);
}

/** What leads to a hold calls nothing. */
function advance(logic: ModeLogic<Spec>, draft: Draft): void {
  logic.advance(draft);
  if (draft.tx.hold !== null) draft.ready = null;
}

const noCalls: readonly ReadyCall[] = [];

/** What could be called now if it had a place. */
function readyOf({ tx, ready }: Draft): readonly ReadyCall[] {
  return ready === null || isFinished(tx) ? noCalls : [...ready.values()];
}

/** After everything else that happens at the same moment: what finishes then is not overdue. */
function raiseAlarm(draft: Draft): void {
  const dueAt = alarmDueAt(draft);
  if (dueAt === null || draft.at < dueAt) return;
  draft.tx.overdueSince = dueAt;
  note(draft, { kind: 'overdue', detail: `not finished within ${draft.given.spec.alarmAfterMs} ms` });
}

/** When the alarm is to be raised; null: never, or it has been. */
function alarmDueAt({ tx, given }: Draft): EpochMs | null {
  const { alarmAfterMs } = given.spec;
  return alarmAfterMs === null || tx.overdueSince !== null ? null : epochMs(tx.createdAt + alarmAfterMs);
}

/** When to look again if nothing happens before: the alarm, and what the mode waits for. */
function wakeAtOf(logic: ModeLogic<Spec>, draft: Draft): EpochMs | null {
  if (isFinished(draft.tx)) return null;
  return earlier(alarmDueAt(draft), draft.tx.hold === null ? logic.wakeAt(draft) : (logic.wakeAtHeld?.(draft) ?? null));
}

export interface CallName {
  readonly branchId: BranchId;
  readonly op: Op;
  /** Empty: nothing to call. */
  readonly url: string;
}

/** How a call is made, as far as it does not depend on the transaction's state. */
export interface CallPlan extends CallName {
  readonly payload: Uint8Array;
  readonly timeoutMs: number;
  /** Whether the whole answer of a participant that agrees is wanted. */
  readonly keepsAnswer: boolean;
  /** What a workflow's function is called; empty in other modes. */
  readonly workflow: string;
}

/** The name of a call, whether it is made or not. */
export function callName(given: Given, { branch, way }: OpName): CallName {
  const { calls } = logicOf(given.spec);
  return { branchId: calls.branchId(given, branch), op: calls.op(branch, way), url: calls.url(given, branch, way) };
}

/** The call that an effect asks for. */
export function callPlan(given: Given, { branch, way }: OpName): CallPlan {
  const { spec } = given;
  const { calls } = logicOf(spec);
  return {
    branchId: calls.branchId(given, branch),
    op: calls.op(branch, way),
    url: calls.url(given, branch, way),
    payload: calls.payload(given, branch, way),
    timeoutMs: calls.timeoutMs(given, branch),
    keepsAnswer: way === 'forward' && spec.mode === 'saga' && spec.steps[branch]!.keepAnswer === true,
    workflow: spec.mode === 'workflow' ? spec.name : '',
  };
}

/** The URL behind a branch and op as history names them; empty: there is none. */
export function urlOf(given: Given, branchId: BranchId, op: Op, branchCount: number): string {
  const { calls } = logicOf(given.spec);
  for (let index = 0; index < branchCount; index++)
    for (const way of ways)
      if (calls.branchId(given, index) === branchId && calls.op(index, way) === op) return calls.url(given, index, way);
  return '';
}

/** Whether a transaction of this spec can begin with this request. */
export function mayBegin(spec: Spec, type: RequestEvent['type']): boolean {
  return logicOf(spec).beginsAs({ type } as RequestEvent) !== null;
}

/** Whether a state that was read can be one of the transaction that was asked for: it has its mode, and its branches. */
export function fits(tx: Transaction, given: Given): boolean {
  const joined = given.registered.filter(({ kind }) => kind === 'participant').length;
  return tx.mode === given.spec.mode && tx.branches.length === logicOf(given.spec).branchesAtFirst(given.spec) + joined;
}

function begin(logic: ModeLogic<Spec>, spec: Spec, event: TransactionEvent): Transaction {
  if (event.type !== 'submitted' && event.type !== 'prepared') throw new Error(`no transaction begins with ${event.type}`);
  const status = logic.beginsAs(event);
  if (status === null) throw new Error(`no ${spec.mode} begins with ${event.type}`);
  return {
    gid: event.gid,
    mode: spec.mode,
    status,
    hold: null,
    decision: null,
    branches: Array.from({ length: logic.branchesAtFirst(spec) }, () => untouched),
    reason: '',
    createdAt: event.at,
    updatedAt: event.at,
    finishedAt: null,
    overdueSince: null,
    aheadUntil: null,
    seq: 0,
    version: 0,
    epoch: 1,
    owner: event.owner,
  };
}

function apply(logic: ModeLogic<Spec>, draft: Draft, event: TransactionEvent, begins: boolean): Verdict {
  draft.at = epochMs(Math.max(draft.at, event.at));
  draft.jitter = event.jitter;
  switch (event.type) {
    case 'prepared':
    case 'submitted':
      if (!begins) return logic.request(draft, event);
      note(draft, { kind: event.type, traceId: draft.given.spec.trace?.traceId ?? null });
      logic.onBegun?.(draft);
      return 'taken';
    case 'aborted':
    case 'registered':
    case 'concluded':
      return logic.request(draft, event);
    case 'answered':
      return takeAnswer(draft, logic.calls, event);
    case 'woken':
      return 'taken';
    case 'placed':
      draft.places ??= new Set();
      draft.places.add(opKey(event));
      return 'taken';
    case 'recovered':
      if (isFinished(draft.tx)) return 'ignored';
      doubt(draft, logic);
      interrupt(draft, logic.calls);
      return 'taken';
    case 'intervened':
      return intervene(draft, event);
    default:
      return assertNever(event);
  }
}

function intervene(draft: Draft, event: Intervened): Verdict {
  if (isFinished(draft.tx)) return 'already_finished';
  if (event.expectedVersion !== null && event.expectedVersion !== draft.tx.version) return 'version_conflict';
  const told = { actor: event.actor, detail: event.reason };
  switch (event.verb) {
    case 'terminate':
      note(draft, { kind: 'terminated', ...told });
      setDecision(draft, 'terminate', event.actor);
      draft.tx.reason = `terminated by ${event.actor}: ${event.reason}`;
      finish(draft, 'failed');
      break;
    case 'retry':
      note(draft, { kind: 'retried', ...told });
      release(draft);
      break;
    default:
      assertNever(event.verb);
  }
  return 'taken';
}
