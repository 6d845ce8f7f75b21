/** What must hold between a version of a transaction and the next one, checked at the moment the commit takes effect. */
import type { HistoryEntry, Op, OpState, RetryPolicy, SagaStep, Transaction, TransactionRow } from '@amends/core';
import { type Entry, forEachOp } from './ledger.ts';
import type { World } from './world.ts';

/** One commit of one transaction. */
export interface Step {
  readonly entry: Entry;
  readonly before: Transaction | null;
  readonly after: Transaction;
  readonly row: TransactionRow;
  readonly history: readonly HistoryEntry[];
  readonly by: string;
}

/** Codes of outcomes of calls that were never sent: policies do not count them. */
const unsentCodes = new Set(['queue_full', 'queue_timeout', 'stopped', 'commit_timeout']);

/** Checks one commit and counts what it covers. */
export function checkStep(world: World, step: Step): void {
  checkLife(world, step);
  checkHistory(world, step);
  checkDecision(world, step);
  checkUnknowns(world, step);
  checkStarts(world, step);
  checkTimeOut(world, step);
  checkAlarm(world, step);
  cover(world, step);
}

/** I2, first half: one life, counted without gaps, with one end. */
function checkLife(world: World, { entry, before, after, row }: Step): void {
  const problem =
    (row.version !== (before?.version ?? 0) + 1 && `version ${row.version} follows ${before?.version ?? 0}`) ||
    (before !== null && before.finishedAt !== null && `it changes after its end (${before.status})`) ||
    (before !== null && after.epoch < before.epoch && `epoch ${after.epoch} follows ${before.epoch}`) ||
    (before !== null && after.createdAt !== before.createdAt && 'its creation changes') ||
    (before?.status === 'aborting' && after.status !== 'aborting' && after.status !== 'failed' && `aborting → ${after.status}`);
  if (problem) world.violated('I2', `${entry.gid}: ${problem}`);
}

function checkHistory(world: World, { entry, before, after, history }: Step): void {
  history.forEach((row, index) => {
    if (row.seq !== (before?.seq ?? 0) + index + 1)
      world.violated('history', `${entry.gid}: seq ${row.seq} follows ${before?.seq ?? 0} + ${index}`);
  });
  if (after.seq !== (before?.seq ?? 0) + history.length)
    world.violated('history', `${entry.gid}: seq ${after.seq} does not count its rows`);
}

/** I2, second half: the decision is made once, and the end is the one that was decided. */
function checkDecision(world: World, { entry, before, after }: Step): void {
  const was = before?.decision ?? null;
  const is = after.decision;
  if (
    was !== null &&
    (is === null || (is.direction !== was.direction && (is.direction !== 'terminate' || is.actor === 'amends')))
  )
    world.violated('I2', `${entry.gid}: the decision ${was.direction} becomes ${is?.direction ?? 'none'}`);
  const ends = { commit: 'succeed', 'roll-back': 'failed', terminate: 'failed' } as const;
  if (after.finishedAt !== null && (is === null || ends[is.direction] !== after.status))
    world.violated('I2', `${entry.gid}: ends as ${after.status} though the decision is ${is?.direction ?? 'none'}`);
  if (after.status === 'aborting' && is?.direction !== 'roll-back')
    world.violated('I2', `${entry.gid}: aborting without a decision to roll back`);
}

/** What may start: actions in order before the decision to roll back, compensations after it; not before they are due (I13). */
function checkStarts(world: World, { entry, before, after, history }: Step): void {
  const released = history.some(({ kind }) => kind === 'interrupted' || kind === 'retried');
  forEachOp(after.branches, (state, index, op) => {
    const was: OpState = before?.branches[index]?.[op] ?? { at: 'idle' };
    if (state.at !== 'running' || (was.at === 'running' && was.attempts === state.attempts)) return;
    const name = `${entry.gid}: step ${index + 1} ${op} #${state.attempts}`;
    const step = entry.spec.steps[index]!;
    const attemptsBefore = was.at === 'idle' ? 0 : was.attempts;
    if (state.attempts !== attemptsBefore + 1) world.violated('I13', `${name} follows #${attemptsBefore}`);
    if (was.at === 'succeed' || was.at === 'failed') world.violated('I13', `${name} starts after its verdict ${was.at}`);
    if (was.at === 'waiting' && state.startedAt < was.dueAt && !released)
      world.violated('I13', `${name} starts ${was.dueAt - state.startedAt} ms before it is due`);
    if (after.hold !== null) world.violated('hold', `${name} starts while on hold`);
    if (op === 'action') checkActionStart(world, { name, after, step });
    else if (after.decision?.direction !== 'roll-back') world.violated('I2', `${name} starts before the decision to roll back`);
    const { attemptsMax } = op === 'action' ? step.actionRetry : step.compensateRetry;
    const unknowns = entry.unknowns.get(`${index} ${op}`) ?? 0;
    if (attemptsMax !== null && unknowns >= attemptsMax)
      world.violated('I13', `${name} starts though ${unknowns} of ${attemptsMax} attempts are used up`);
  });
}

function checkActionStart(world: World, start: { name: string; after: Transaction; step: SagaStep }): void {
  const { name, after, step } = start;
  if (after.decision !== null && after.decision.direction !== 'commit')
    world.violated('I3', `${name} starts after the decision to ${after.decision.direction}`);
  const missing = step.after.find((other) => after.branches[other]!.action.at !== 'succeed');
  if (missing !== undefined) world.violated('I7', `${name} starts before step ${missing + 1} has succeeded`);
}

/** I13: the simulator's own count of attempts without a verdict, and the pause that must follow each. */
function checkUnknowns(world: World, step: Step): void {
  const { entry, history } = step;
  for (const row of history) {
    if (row.kind === 'retried') entry.unknowns.clear();
    if ((row.kind !== 'answered' && row.kind !== 'interrupted') || row.branchId === null || row.op === null) continue;
    const index = Number(row.branchId) - 1;
    const { kind, actionRetry, compensateRetry } = entry.spec.steps[index]!;
    const refusable = row.op === 'action' && kind !== 'retriable';
    if (row.outcome === 'success' || (row.outcome === 'failure' && refusable)) continue;
    const key = `${index} ${row.op}`;
    const counts = row.outcome !== 'ongoing' && !unsentCodes.has(row.code ?? '');
    const unknowns = (entry.unknowns.get(key) ?? 0) + (counts ? 1 : 0);
    entry.unknowns.set(key, unknowns);
    checkPause(world, step, { row, index, op: row.op, unknowns, policy: row.op === 'action' ? actionRetry : compensateRetry });
  }
}

interface Pause {
  readonly row: HistoryEntry;
  readonly index: number;
  readonly op: Op;
  readonly unknowns: number;
  readonly policy: RetryPolicy;
}

/** Pauses are as long as the policy says, and up to 15 % longer. */
function checkPause(world: World, { entry, after, history }: Step, { row, index, op, unknowns, policy }: Pause): void {
  const state = after.branches[index]![op];
  const exhausted = policy.attemptsMax !== null && unknowns >= policy.attemptsMax;
  const released = (row.kind === 'interrupted' && unknowns <= 1) || history.some(({ kind }) => kind === 'retried');
  if (state.at !== 'waiting' || exhausted || released) return;
  const pause = row.outcome === 'ongoing' ? policy.delayMs : pauseMs(policy, Math.max(1, unknowns));
  const actual = state.dueAt - row.at;
  if (actual < pause || actual > pause * 1.16 + 1)
    world.violated(
      'I13',
      `${entry.gid}: step ${index + 1} ${op} pauses ${actual} ms, its policy says ${pause} and up to 15 % more`,
    );
}

function pauseMs(policy: RetryPolicy, unknowns: number): number {
  if (policy.kind === 'fixed') return policy.delayMs;
  return Math.min(policy.delayMs * 2 ** (unknowns - 1), Math.max(policy.delayMs, policy.delayMsMax));
}

/** I14, first half: not early by true time. */
function checkTimeOut(world: World, { entry, history, after }: Step): void {
  if (!history.some(({ kind }) => kind === 'timed-out')) return;
  const { timeoutMs } = entry.spec;
  if (timeoutMs === null || world.epoch() < after.createdAt + timeoutMs)
    world.violated(
      'I14',
      `${entry.gid}: timed out early, ${world.epoch() - after.createdAt} of ${timeoutMs} ms after its creation`,
    );
}

/** The alarm is raised once, not early by true time, and only for what goes on. */
function checkAlarm(world: World, { entry, before, after, history }: Step): void {
  const raised = history.filter(({ kind }) => kind === 'overdue').length;
  if (raised !== (after.overdueSince === null ? 0 : 1) - ((before?.overdueSince ?? null) === null ? 0 : 1))
    world.violated(
      'alarm',
      `${entry.gid}: ${raised} alarms are raised, overdue since ${before?.overdueSince} → ${after.overdueSince}`,
    );
  if (raised === 0) return;
  const { alarmAfterMs } = entry.spec;
  if (alarmAfterMs === null || world.epoch() < after.createdAt + alarmAfterMs)
    world.violated('alarm', `${entry.gid}: ${world.epoch() - after.createdAt} of ${alarmAfterMs} ms after its creation`);
  if (after.finishedAt !== null) world.violated('alarm', `${entry.gid}: raised though it is ${after.status}`);
}

function cover(world: World, { before, after, history }: Step): void {
  const state = before === null ? 'new' : stateName(before);
  const told = history.map(({ kind, op, outcome }) => {
    if (kind === 'answered') return `${op} ${outcome}`;
    return kind === 'interrupted' || kind === 'held' ? `${op} ${kind}` : kind;
  });
  if (told.length === 0 && before?.seq === after.seq) told.push('woken');
  for (const event of told) world.coverage.reached('state × event', `${state} × ${event}`);
}

function stateName(tx: Transaction): string {
  return [tx.status, tx.decision?.direction === 'commit' && 'committed', tx.hold !== null && 'held'].filter(Boolean).join(', ');
}
