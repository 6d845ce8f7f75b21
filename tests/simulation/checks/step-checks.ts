/** What must hold between a version of a transaction and the next one, checked at the moment the commit takes effect. */
import type { HistoryEntry, OpState, RetryPolicy, Transaction, Way } from '@amends/core';
import type { World } from '../world/world.ts';
import { forEachCall, type Step } from './entry.ts';
import { checkRecord, checkStartInMode, mayBeRefused, policyOf, undecidedUntil } from './mode-checks.ts';
import { checkAhead, isAmong, openTo } from './run-ahead-checks.ts';

/** Codes of outcomes of calls that were never sent: policies do not count them. */
const unsentCodes = new Set(['stopped', 'commit_timeout']);

/** Checks one commit and counts what it covers. */
export function checkStep(world: World, step: Step): void {
  checkLife(world, step);
  checkHistory(world, step);
  checkDecision(world, step);
  for (const record of step.records) checkRecord(world, step, record);
  hear(step);
  checkUnknowns(world, step);
  checkStarts(world, step);
  checkAhead(world, step);
  checkTimeOut(world, step);
  checkAlarm(world, step);
  cover(world, step);
}

/** SIM-2, first half: one life, counted without gaps, with one end. */
function checkLife(world: World, { entry, before, after, row }: Step): void {
  const problem =
    (row.version !== (before?.version ?? 0) + 1 && `version ${row.version} follows ${before?.version ?? 0}`) ||
    (before !== null && before.finishedAt !== null && `it changes after its end (${before.status})`) ||
    (before !== null && after.epoch < before.epoch && `epoch ${after.epoch} follows ${before.epoch}`) ||
    (before !== null && after.createdAt !== before.createdAt && 'its creation changes') ||
    (before?.status === 'aborting' && after.status !== 'aborting' && after.status !== 'failed' && `aborting → ${after.status}`);
  if (problem) world.report('SIM-2', `${entry.gid}: ${problem}`);
}

function checkHistory(world: World, { entry, before, after, history }: Step): void {
  history.forEach((row, index) => {
    if (row.seq !== (before?.seq ?? 0) + index + 1)
      world.report('SIM-22', `${entry.gid}: seq ${row.seq} follows ${before?.seq ?? 0} + ${index}`);
  });
  if (after.seq !== (before?.seq ?? 0) + history.length)
    world.report('SIM-22', `${entry.gid}: seq ${after.seq} does not count its rows`);
}

/** SIM-2, second half: the decision is made once, and the end is the one that was decided. */
function checkDecision(world: World, { entry, before, after }: Step): void {
  const was = before?.decision ?? null;
  const is = after.decision;
  if (
    was !== null &&
    (is === null || (is.direction !== was.direction && (is.direction !== 'terminate' || is.actor === 'amends')))
  )
    world.report('SIM-2', `${entry.gid}: the decision ${was.direction} becomes ${is?.direction ?? 'none'}`);
  const ends = { commit: 'succeed', 'roll-back': 'failed', terminate: 'failed' } as const;
  if (after.finishedAt !== null && (is === null || ends[is.direction] !== after.status))
    world.report('SIM-2', `${entry.gid}: ends as ${after.status} though the decision is ${is?.direction ?? 'none'}`);
  if (after.status === 'aborting' && is?.direction !== 'roll-back')
    world.report('SIM-2', `${entry.gid}: aborting without a decision to roll back`);
  if (after.status === 'submitted' && after.mode !== 'saga' && is?.direction !== 'commit')
    world.report('SIM-2', `${entry.gid}: a ${after.mode} is submitted without a decision to commit`);
  if (after.status === 'prepared' && is !== null) world.report('SIM-2', `${entry.gid}: decided, and prepared all the same`);
}

/** What may start, by the rules of its mode; not before it is due, not while on hold, not beyond the policy (SIM-13). */
function checkStarts(world: World, { entry, before, after, history }: Step): void {
  const released = history.some(({ kind }) => kind === 'interrupted' || kind === 'retried');
  const open = before === null ? [] : openTo(entry, before);
  const isTakenOver = history.some(({ kind }) => kind === 'uncertain');
  const toldAt = history.find(({ outcome }) => outcome !== 'success')?.at ?? Number.POSITIVE_INFINITY;
  forEachCall(after.branches, (state, index, way) => {
    const was: OpState = before?.branches[index]?.[way] ?? { at: 'idle' };
    if (state.at !== 'running' || (was.at === 'running' && was.attempts === state.attempts)) return;
    const { branchId, op } = world.production.core.callName(entry.given, { branch: index, way });
    const name = `${entry.gid}: ${branchId} ${op} #${state.attempts}`;
    const mayBeCalled = was.at === 'idle' && isAmong(open, { branch: index, way });
    const ended = mayBeCalled ? history.filter((row) => row.branchId === branchId && row.op === op && row.attempt !== null) : [];
    const attemptsBefore = was.at === 'idle' ? Number(mayBeCalled && isTakenOver) + ended.length : was.attempts;
    if (state.attempts !== attemptsBefore + 1) world.report('SIM-13', `${name} follows #${attemptsBefore}`);
    if (was.at === 'succeed' || was.at === 'failed') world.report('SIM-13', `${name} starts after its verdict ${was.at}`);
    if (was.at === 'waiting' && state.startedAt < was.dueAt && !released)
      world.report('SIM-13', `${name} starts ${was.dueAt - state.startedAt} ms before it is due`);
    if (was.at === 'given-up' && !history.some(({ kind }) => kind === 'retried'))
      world.report('SIM-13', `${name} starts though it is given up`);
    // What was started ahead had been when the rest of the commit came about.
    const isAhead = mayBeCalled && state.startedAt <= toldAt;
    // A message that is held for one delivery makes its others all the same (MSG-7).
    if (after.hold !== null && !isAhead && (after.mode !== 'msg' || !('op' in after.hold) || after.hold.branchId === branchId))
      world.report('SIM-21', `${name} starts while on hold`);
    checkStartInMode(world, { name, entry, after, index, way, startedAt: state.startedAt, isAhead });
    const { attemptsMax } = policyOf(entry.spec, index, way);
    const unknowns = entry.unknowns.get(`${index} ${way}`) ?? 0;
    if (attemptsMax !== null && unknowns >= attemptsMax)
      world.report('SIM-13', `${name} starts though ${unknowns} of ${attemptsMax} attempts are used up`);
  });
}

/** Keeps when something was last heard of a workflow's function. */
function hear({ entry, history }: Step): void {
  for (const { kind, at } of history) {
    if (kind === 'prepared' || kind === 'registered') entry.heardAt = at;
    if (kind === 'interrupted' || kind === 'retried') entry.heardAt = null;
  }
}

/** SIM-13: the simulator's own count of attempts without a verdict, and the pause that must follow each. */
function checkUnknowns(world: World, step: Step): void {
  const { entry, before, history, after } = step;
  if (after.mode === 'workflow') return;
  for (const row of history) {
    if (row.kind === 'retried') entry.unknowns.clear();
    if ((row.kind !== 'answered' && row.kind !== 'interrupted') || row.branchId === null || row.op === null) continue;
    const called = callOf(world, step, row);
    const refusable =
      mayBeRefused(entry.spec, called.index, called.way) && (after.mode !== 'msg' || before?.status === 'prepared');
    if (row.outcome === 'success' || (row.outcome === 'failure' && refusable)) continue;
    const key = `${called.index} ${called.way}`;
    const counts = row.outcome !== 'ongoing' && !unsentCodes.has(row.code ?? '');
    const unknowns = (entry.unknowns.get(key) ?? 0) + (counts ? 1 : 0);
    entry.unknowns.set(key, unknowns);
    checkPause(world, step, { row, ...called, unknowns, policy: policyOf(entry.spec, called.index, called.way) });
  }
}

/** The call that a history row tells of. */
function callOf(world: World, { entry, after }: Step, row: HistoryEntry): { readonly index: number; readonly way: Way } {
  for (let index = 0; index < after.branches.length; index++)
    for (const way of world.production.core.ways) {
      const { branchId, op } = world.production.core.callName(entry.given, { branch: index, way });
      if (branchId === row.branchId && op === row.op) return { index, way };
    }
  throw new Error(`${entry.gid}: history tells of ${row.branchId} ${row.op}, which does not exist`);
}

interface Pause {
  readonly row: HistoryEntry;
  readonly index: number;
  readonly way: Way;
  readonly unknowns: number;
  readonly policy: RetryPolicy;
}

/** Pauses are as long as the policy says, and up to 15 % longer. */
function checkPause(world: World, { entry, after, history }: Step, { row, index, way, unknowns, policy }: Pause): void {
  const state = after.branches[index]![way];
  const exhausted = policy.attemptsMax !== null && unknowns >= policy.attemptsMax;
  const released = (row.kind === 'interrupted' && unknowns <= 1) || history.some(({ kind }) => kind === 'retried');
  if (state.at !== 'waiting' || exhausted || released) return;
  const pause = row.outcome === 'ongoing' ? policy.delayMs : pauseMs(policy, Math.max(1, unknowns));
  const actual = state.dueAt - row.at;
  if (actual < pause || actual > pause * 1.16 + 1)
    world.report(
      'SIM-13',
      `${entry.gid}: ${row.branchId} ${row.op} pauses ${actual} ms, its policy says ${pause} and up to 15 % more`,
    );
}

function pauseMs(policy: RetryPolicy, unknowns: number): number {
  if (policy.kind === 'fixed') return policy.delayMs;
  return Math.min(policy.delayMs * 2 ** (unknowns - 1), Math.max(policy.delayMs, policy.delayMsMax));
}

/** SIM-14, first half: not early by true time. */
function checkTimeOut(world: World, { entry, history, after }: Step): void {
  if (!history.some(({ kind }) => kind === 'timed-out')) return;
  const until = undecidedUntil(entry.spec, after.createdAt);
  if (until === null || world.epoch() < until)
    world.report('SIM-14', `${entry.gid}: timed out early, at ${world.epoch()}, its time is up at ${until ?? 'no time'}`);
}

/** The alarm is raised once, not early by true time, and only for what goes on. */
function checkAlarm(world: World, { entry, before, after, history }: Step): void {
  const raised = history.filter(({ kind }) => kind === 'overdue').length;
  if (raised !== (after.overdueSince === null ? 0 : 1) - ((before?.overdueSince ?? null) === null ? 0 : 1))
    world.report(
      'SIM-16',
      `${entry.gid}: ${raised} alarms are raised, overdue since ${before?.overdueSince} → ${after.overdueSince}`,
    );
  if (raised === 0) return;
  const { alarmAfterMs } = entry.spec;
  if (alarmAfterMs === null || world.epoch() < after.createdAt + alarmAfterMs)
    world.report('SIM-16', `${entry.gid}: ${world.epoch() - after.createdAt} of ${alarmAfterMs} ms after its creation`);
  if (after.finishedAt !== null) world.report('SIM-16', `${entry.gid}: raised though it is ${after.status}`);
}

function cover(world: World, { before, after, history }: Step): void {
  if (after.mode !== 'saga') {
    for (const { kind, op, outcome } of history)
      world.coverage.count('modes', [after.mode, op ?? kind, op === null ? '' : (outcome ?? kind)].join(' ').trim());
    return;
  }
  const state = before === null ? 'new' : stateName(before);
  const told = history.map(({ kind, op, outcome }) => {
    if (kind === 'answered') return `${op} ${outcome}`;
    return kind === 'interrupted' || kind === 'held' ? `${op} ${kind}` : kind;
  });
  if (told.length === 0 && before?.seq === after.seq) told.push('woken');
  for (const event of told) world.coverage.count('state × event', `${state} × ${event}`);
}

function stateName(tx: Transaction): string {
  return [tx.status, tx.decision?.direction === 'commit' && 'committed', tx.hold !== null && 'held'].filter(Boolean).join(', ');
}
