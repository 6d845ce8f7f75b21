/** What the checkers know of each mode by themselves: its policies, what may be refused, and what may start when. */
import type {
  MsgSpec,
  RegisteredBranch,
  RetryPolicy,
  SagaSpec,
  Spec,
  Transaction,
  TransactionRecord,
  Way,
  WorkflowSpec,
} from '@amends/core';
import type { World } from '../world/world.ts';
import type { Entry, Step } from './entry.ts';

/** The policy of one call. */
export function policyOf(spec: Spec, index: number, way: Way): RetryPolicy {
  if (spec.mode !== 'saga') return spec.retry;
  const { actionRetry, compensateRetry } = spec.steps[index]!;
  return way === 'forward' ? actionRetry : compensateRetry;
}

/** Whether a refusal is a verdict: of a saga's action that is not retriable, and of a message's question. */
export function mayBeRefused(spec: Spec, index: number, way: Way): boolean {
  if (spec.mode === 'saga') return way === 'forward' && spec.steps[index]!.kind !== 'retriable';
  return spec.mode === 'msg' && index === 0;
}

/** When what is undecided is rolled back; null: never. Milliseconds since 1970. */
export function undecidedUntil(spec: Spec, createdAt: number): number | null {
  if (spec.mode === 'msg' || spec.mode === 'workflow' || spec.timeoutMs === null) return null;
  return createdAt + spec.timeoutMs;
}

/** One call that starts. */
export interface Start {
  readonly name: string;
  readonly entry: Entry;
  readonly after: Transaction;
  readonly index: number;
  readonly way: Way;
  readonly startedAt: number;
  /** It was started before the rest of its commit came about. */
  readonly isAhead: boolean;
}

/** Whether the rules of the mode allow the start. */
export function checkStartInMode(world: World, start: Start): void {
  const { spec } = start.entry;
  switch (spec.mode) {
    case 'saga':
      return checkSagaStart(world, start, spec);
    case 'msg':
      return checkMsgStart(world, start, spec);
    case 'tcc':
      return checkSecondPhase(world, start, 'last first');
    case 'xa':
      return checkSecondPhase(world, start, 'first first');
    case 'workflow':
      return checkWorkflowStart(world, start, spec);
  }
}

/** The invariants of the modes on what joins while prepared, and on joining once. */
const joining = {
  tcc: { whilePrepared: 'PHASE-1', once: 'PHASE-1' },
  xa: { whilePrepared: 'PHASE-1', once: 'PHASE-1' },
  workflow: { whilePrepared: 'WF-2', once: 'WF-1' },
} as const;

/** What joins a transaction joins it while it is prepared, and once; a result comes with the end. */
export function checkRecord(world: World, { entry, before, after }: Step, record: TransactionRecord): void {
  const { mode } = after;
  if (record.kind === 'result' && after.finishedAt === null) world.report('WF-3', `${entry.gid}: a result before the end`);
  if (record.kind !== 'branch') return;
  if (mode === 'saga' || mode === 'msg') return world.report('SIM-18', `${entry.gid}: a branch joins a ${mode}`);
  const name = `${entry.gid}: ${branchName(record.branch)}`;
  if (before !== null && before.status !== 'prepared')
    world.report(joining[mode].whilePrepared, `${name} joins though it is ${before.status}`);
  if (entry.given.registered.filter((branch) => branchName(branch) === branchName(record.branch)).length !== 1)
    world.report(joining[mode].once, `${name} joins a second time`);
}

/** What is unique among the registered branches of one transaction. */
export function branchName(branch: RegisteredBranch): string {
  return branch.kind === 'participant' ? branch.branchId : `${branch.branchId} ${branch.op}`;
}

/** WF-4: only while prepared, and not before it was quiet for the whole interval. */
function checkWorkflowStart(world: World, { name, entry, after, startedAt }: Start, spec: WorkflowSpec): void {
  if (after.status !== 'prepared') world.report('WF-4', `${name} starts though it is ${after.status}`);
  if (entry.heardAt !== null && startedAt < entry.heardAt + spec.retry.delayMs)
    world.report('WF-4', `${name} starts ${startedAt - entry.heardAt} ms after a sign of life`);
}

function checkSagaStart(world: World, { name, after, index, way, isAhead }: Start, spec: SagaSpec): void {
  const direction = after.decision?.direction;
  if (way === 'backward') {
    if (direction !== 'roll-back') world.report('SIM-2', `${name} starts before the decision to roll back`);
    return;
  }
  if (direction !== undefined && direction !== 'commit' && !isAhead)
    world.report('SIM-3', `${name} starts after the decision to ${direction}`);
  const missing = spec.steps[index]!.after.find((other) => after.branches[other]!.forward.at !== 'succeed');
  if (missing !== undefined) world.report('SIM-7', `${name} starts before step ${missing + 1} has succeeded`);
}

/** SIM-8: nothing is confirmed before submit or cancelled before the decision, one branch after the other. */
function checkSecondPhase(world: World, { name, after, index, way, isAhead }: Start, order: 'last first' | 'first first'): void {
  const wanted = way === 'forward' ? 'commit' : 'roll-back';
  if (after.decision?.direction !== wanted && !isAhead)
    world.report('SIM-8', `${name} starts though the decision is ${after.decision?.direction ?? 'open'}`);
  const earlier = order === 'first first' ? after.branches.slice(0, index) : after.branches.slice(index + 1);
  if (earlier.some((branch) => branch[way].at !== 'succeed')) world.report('SIM-7', `${name} starts out of its order`);
}

/** SIM-9: no delivery before the local transaction is known to be committed, nor before its time. */
function checkMsgStart(world: World, { name, after, index, startedAt, isAhead }: Start, spec: MsgSpec): void {
  if (index === 0) {
    if (after.status !== 'prepared') world.report('MSG-3', `${name} is asked though it is ${after.status}`);
    if (startedAt < after.createdAt + spec.askAfterMs) world.report('MSG-3', `${name} is asked before its time`);
    return;
  }
  if (after.decision?.direction !== 'commit' && !isAhead) world.report('SIM-9', `${name} starts before the message is submitted`);
  if (startedAt < after.createdAt + spec.delayMs) world.report('MSG-5', `${name} starts before its delay has passed`);
  const stepOf = (at: number) => spec.steps[at - 1]!.branchId.split('-')[0];
  const before = after.branches.slice(1, index).filter((_, at) => stepOf(at + 1) !== stepOf(index));
  if (!spec.concurrent && before.some(({ forward }) => forward.at !== 'succeed'))
    world.report('SIM-7', `${name} starts out of its order`);
}
