/** What must be true when everything has come to rest. */
import type { Gid, SagaSpec, Transaction } from '@amends/core';
import { openingBalances } from '../applications/saga-maker.ts';
import type { ApiChecks } from '../checks/api-checks.ts';
import type { Entry } from '../checks/entry.ts';
import type { Ledger } from '../checks/ledger.ts';
import { undecidedUntil } from '../checks/mode-checks.ts';
import type { Database } from '../nodes/database.ts';
import type { Participant } from '../nodes/participant.ts';
import type { World } from '../world/world.ts';

/** All that a run consists of, as far as its end is judged by it. */
export interface Remains {
  readonly world: World;
  readonly ledger: Ledger;
  readonly database: Database;
  readonly checks: ApiChecks;
  readonly participants: ReadonlyMap<string, Participant>;
  /** Whether nodes have so little room that what is due may have to wait for the calls of others. */
  readonly crowded: boolean;
}

/** Judges a run that has come to rest, or has run out of time. */
export async function checkSettlement(remains: Remains): Promise<void> {
  await checkStored(remains);
  for (const entry of remains.ledger.entries.values()) {
    if (entry.tx.finishedAt === null) notFinished(remains.world, entry);
    else if (entry.tx.decision!.direction !== 'terminate') checkEffects(remains, entry);
    checkTimeOut(remains, entry);
    checkAlarm(remains, entry);
  }
  if (remains.world.violations.length === 0) checkMoney(remains);
}

/** SIM-1, and that the ledger is right: what was acknowledged and what is stored agree. */
async function checkStored({ world, ledger, database, checks }: Remains): Promise<void> {
  const gids = [...new Set([...(ledger.entries.keys() as Iterable<Gid>), ...checks.acknowledged])];
  const stored = await database.store.load(gids);
  gids.forEach((gid, index) => {
    checks.checkNothingStored(gid);
    const row = stored[index]?.row;
    if (row === undefined) world.report('SIM-1', `${gid} was acknowledged and is gone`);
    else if (row.version !== ledger.entries.get(gid)?.row.version)
      world.report('SIM-1', `${gid} is stored as nobody has written it`);
  });
}

/** SIM-12 */
function notFinished(world: World, { gid, tx, row }: Entry): void {
  const hold = tx.hold === null ? '' : ', held';
  const owner = tx.owner ?? 'nobody';
  const due = row.dueAt === null ? 'never' : world.seconds(row.dueAt);
  world.report('SIM-12', `${gid} is not finished long after the faults: ${tx.status}${hold}, owner ${owner}, due ${due}`);
}

/**
 * How late a time-out may come: by the delay of a commit, by the wait for the next claim and for room in memory, or after
 * faults by a take-over or the pause after a refusal.
 */
const lateMs = { inPeace: 200, afterRelease: 2_000, inACrowd: 15_000, afterFaults: 45_000 };

/** The latest moment for what is due, by virtual time. */
function latestFor({ world, crowded }: Remains, dueAt: number, { wasReleased }: Entry): number {
  if (!world.peaceful) return Math.max(dueAt, world.healedAt!) + lateMs.afterFaults;
  if (!wasReleased) return dueAt + lateMs.inPeace;
  return dueAt + (crowded ? lateMs.inACrowd : lateMs.afterRelease);
}

/** SIM-14, second half: what is undecided when its time is up is decided then; holds and pivots may put that off. */
function checkTimeOut(remains: Remains, entry: Entry): void {
  const { world } = remains;
  const { gid, spec, tx, createdAt, decidedAt, wasHeld } = entry;
  const until = undecidedUntil(spec, tx.createdAt);
  if (until === null || wasHeld || (spec.mode === 'saga' && spec.steps.some(({ kind }) => kind === 'pivot'))) return;
  const dueAt = createdAt + until - tx.createdAt;
  const latest = latestFor(remains, dueAt, entry);
  const lateBy = (decidedAt ?? world.time.now) - latest;
  if (lateBy > 0) world.report('SIM-14', `${gid}: decided ${Math.round(lateBy)} ms later than its time-out allows`);
}

/** An alarm is not late, held or not. */
function checkAlarm(remains: Remains, entry: Entry): void {
  const { world } = remains;
  const { gid, spec, tx, createdAt } = entry;
  if (spec.alarmAfterMs === null || tx.overdueSince !== null) return;
  const dueAt = createdAt + spec.alarmAfterMs;
  const latest = latestFor(remains, dueAt, entry);
  const endedAt = tx.finishedAt === null ? world.time.now : createdAt + tx.finishedAt - tx.createdAt;
  const lateBy = endedAt - latest;
  if (lateBy > 0) world.report('SIM-16', `${gid}: no alarm ${Math.round(lateBy)} ms after the latest moment for it`);
}

/** SIM-3: all there or all gone. */
function checkEffects(remains: Remains, { gid, spec, tx, given, versions }: Entry): void {
  const committed = tx.decision!.direction === 'commit';
  switch (spec.mode) {
    case 'saga':
      return checkSagaEffects(remains, { gid, spec, tx });
    case 'msg':
      checkLocalCommit(remains, { gid, tx, announced: versions[1]!.status === 'prepared' });
      return spec.steps.forEach(({ branchId }) => {
        expectEffects(remains, { gid, tx, branchId }, committed ? ['action'] : ['']);
      });
    case 'tcc':
      return given.registered.forEach(({ branchId }) => {
        expectEffects(remains, { gid, tx, branchId }, committed ? ['try confirm'] : ['', 'try cancel']);
      });
    case 'xa':
      return given.registered.forEach(({ branchId }) => {
        expectEffects(remains, { gid, tx, branchId }, committed ? ['action commit'] : ['', 'action rollback']);
      });
    case 'workflow':
      for (const branchId of new Set(given.registered.map((branch) => branch.branchId)))
        expectEffects(remains, { gid, tx, branchId }, committed ? ['action'] : ['', 'action rollback']);
  }
}

/** SIM-9: a message that was announced is delivered if, and only if, its local transaction was committed. */
function checkLocalCommit(
  { world, participants }: Remains,
  { gid, tx, announced }: Omit<Ended, 'branchId'> & { readonly announced: boolean },
): void {
  const committed = effectsOf(participants, gid, '00') !== '';
  const wanted = announced && tx.status === 'succeed';
  if (committed !== wanted)
    world.report('SIM-9', `${gid}: the message ${tx.status}, its local transaction was ${committed ? '' : 'not '}committed`);
}

interface Ended {
  readonly gid: string;
  readonly tx: Transaction;
  readonly branchId: string;
}

function expectEffects({ world, participants }: Remains, { gid, tx, branchId }: Ended, allowed: readonly string[]): void {
  const effects = effectsOf(participants, gid, branchId);
  if (!allowed.includes(effects))
    world.report('SIM-3', `${gid}: ${tx.mode} ${tx.status}, but branch ${branchId} has the effects: ${effects || 'none'}`);
}

function checkSagaEffects(
  { world, participants }: Remains,
  { gid, spec, tx }: { gid: string; spec: SagaSpec; tx: Transaction },
): void {
  spec.steps.forEach((step, index) => {
    const effects = effectsOf(participants, gid, String(index + 1).padStart(2, '0'));
    const committed = tx.decision!.direction === 'commit';
    const wanted = committed && step.action !== '' ? 'action' : '';
    const net = effects === 'action compensate' ? '' : effects;
    const mayStay = !committed && step.kind === 'compensatable' && step.compensate === '';
    if (net === wanted || mayStay) {
      if (committed && effects !== wanted) world.report('SIM-3', `${gid}: ${tx.status}, but step ${index + 1} was undone`);
      return;
    }
    world.report('SIM-3', `${gid}: ${tx.status}, but step ${index + 1} (${step.kind}) has the effects: ${effects || 'none'}`);
  });
}

function effectsOf(participants: ReadonlyMap<string, Participant>, gid: string, branchId: string): string {
  return [...participants.values()].flatMap(({ effects }) => effects.get(`${gid} ${branchId}`) ?? []).join(' ');
}

/** SIM-10: no transaction adds money or takes it away, but those that humans left half done by terminating. */
function checkMoney({ world, ledger, participants }: Remains): void {
  const all = [...participants.values()];
  const total = sum(all.flatMap(({ accounts }) => [...accounts.values()]));
  const added = sum(all.flatMap((participant) => [...participant.added.values()]));
  const opening = all.length * sum(Object.values(openingBalances));
  if (total !== opening + added) world.report('SIM-10', `all accounts hold ${total}, at the start ${opening}, moved ${added}`);
  const gids = new Set(all.flatMap((participant) => [...participant.added.keys()]));
  for (const gid of gids) {
    const net = sum(all.map((participant) => participant.added.get(gid) ?? 0));
    const direction = ledger.entries.get(gid)?.tx.decision?.direction;
    if (net !== 0 && direction !== 'terminate')
      world.report('SIM-10', `${gid} (${direction ?? 'never stored'}) has made ${net} of nothing`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
