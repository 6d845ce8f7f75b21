/**
 * What the owner of a transaction may have started without a commit, worked out here a second time from what is stored and
 * from the rules of the modes; and what must hold of that.
 */
import type { OpName, OpState, SagaSpec, Transaction } from '@amends/core';
import type { World } from '../world/world.ts';
import { type Entry, forEachCall, type Step } from './entry.ts';

/** How long a window is open at most. Milliseconds. */
const windowMs = 1_000;

/** What a commit lets its owner start before its next one. */
export function openTo(entry: Pick<Entry, 'spec' | 'given'>, tx: Transaction): readonly OpName[] {
  if (tx.aheadUntil === null) return [];
  switch (entry.spec.mode) {
    case 'saga':
      return openInSaga(entry.spec, tx);
    case 'msg': {
      const { concurrent, steps, delayMs, notBefore } = entry.spec;
      const from = Math.max(tx.createdAt + delayMs, notBefore ?? 0, entry.given.notBefore ?? 0);
      if (from > tx.updatedAt + windowMs) return [];
      const turnOf = (branch: number) => (concurrent ? '' : steps[branch - 1]!.branchId.split('-')[0]!);
      const stopsAt = tx.branches.findIndex(({ forward }, branch) => branch > 0 && ['waiting', 'given-up'].includes(forward.at));
      return idle(tx, 'forward').filter(
        ({ branch }) => branch > 0 && (stopsAt === -1 || branch < stopsAt || turnOf(branch) === turnOf(stopsAt)),
      );
    }
    case 'tcc':
    case 'xa':
      return idle(tx, tx.status === 'submitted' ? 'forward' : 'backward');
    case 'workflow':
      return [];
  }
}

function idle(tx: Transaction, way: OpName['way']): OpName[] {
  return tx.branches.flatMap((states, branch) => (states[way].at === 'idle' ? [{ branch, way }] : []));
}

function openInSaga(spec: SagaSpec, tx: Transaction): OpName[] {
  const comesAhead = (branch: number): boolean => {
    const { at } = tx.branches[branch]!.forward;
    if (at !== 'idle') return at === 'succeed' || at === 'running';
    const { kind, after, action } = spec.steps[branch]!;
    if (action !== '' && spec.templates?.[branch]) return false;
    if (kind === 'pivot' || (kind === 'retriable' && tx.decision?.direction !== 'commit')) return false;
    return after.every(comesAhead);
  };
  return idle(tx, 'forward').filter(({ branch }) => comesAhead(branch));
}

/** Checks one commit. */
export function checkAhead(world: World, step: Step): void {
  const { entry, before, after } = step;
  checkWindow(world, step);
  if (before === null) return;
  const open = openTo(entry, before);
  checkInDoubt(world, step, open);
  forEachCall(after.branches, (is, branch, way) => {
    const was = before.branches[branch]?.[way];
    if (was?.at !== 'idle' || !wasCalled(is)) return;
    if (!isAmong(open, { branch, way }))
      world.report('AHEAD-1', `${entry.gid}: branch ${branch} ${way} was called, which its last commit did not allow`);
    else world.coverage.count('run ahead', 'called before a commit told so');
  });
}

/** Something was called and has ended, or may have been called. */
function wasCalled(is: OpState): boolean {
  return (is.at === 'succeed' || is.at === 'failed' || is.at === 'waiting' || is.at === 'given-up') && is.attempts > 0;
}

/** A window is open only where something can be started in it, never on hold, and for the time that it may be open. */
function checkWindow(world: World, { entry, after }: Step): void {
  if (after.aheadUntil === null) return;
  world.coverage.count('run ahead', 'window opened');
  if (after.aheadUntil > after.updatedAt + windowMs || after.hold !== null || after.finishedAt !== null || after.owner === null)
    world.report('AHEAD-1', `${entry.gid}: may run ahead until ${after.aheadUntil} though it is ${after.status}`);
  if (entry.spec.runAhead === false) world.report('AHEAD-1', `${entry.gid}: may run ahead though it must not`);
}

/** AHEAD-3: who takes over takes everything for started that may have been. */
function checkInDoubt(world: World, { entry, before, after, history }: Step, open: readonly OpName[]): void {
  const isTakenOver = history.some(({ kind }) => kind === 'interrupted' || kind === 'uncertain');
  if (!isTakenOver || open.length === 0) return;
  world.coverage.count('run ahead', 'taken over with calls in doubt');
  const forgotten = open.find(({ branch, way }) => after.branches[branch]![way].at === 'idle');
  if (forgotten !== undefined && after.finishedAt === null)
    world.report('AHEAD-3', `${entry.gid}: branch ${forgotten.branch} ${forgotten.way} may have been started, and is forgotten`);
  for (const name of open) {
    const state = after.branches[name.branch]![name.way];
    const { timeoutMs, url } = world.production.core.callPlan(entry.given, name);
    if (url !== '' && state.at === 'waiting' && state.settledAt < before!.aheadUntil! + timeoutMs)
      world.report('AHEAD-3', `${entry.gid}: branch ${name.branch} ${name.way} may still be running, and counts as over`);
  }
}

/** Whether an op is one of these. */
export function isAmong(ops: readonly OpName[], { branch, way }: OpName): boolean {
  return ops.some((op) => op.branch === branch && op.way === way);
}
