/**
 * One run of a workflow's function, from what is recorded to its end.
 *
 * I1  A step that is recorded is not done again; it gives what it gave.
 * I2  Whether to commit or to roll back is recorded before the first handler of the second phase runs, and never changes.
 * I3  It is decided only when every step that was begun has an answer.
 * I4  Of two runs at once, the one that records first is right, and the other goes by it.
 */
import { branchIds } from './branch-ids.ts';
import type { BranchRef } from './call.ts';
import { AmendsClientError } from './client-error.ts';
import type { Means } from './open-transaction.ts';
import type { RecordedStep, WorkflowStart, WorkflowState } from './transaction-port.ts';
import { BusinessFailure } from './verdict.ts';
import type { StepEnd, StepHandler, StepRequest, Workflow, WorkflowFunction } from './workflow.ts';

/** What to run. */
export interface WorkflowRun<Input, Result> {
  readonly start: WorkflowStart;
  readonly work: WorkflowFunction<Input, Result>;
  readonly signal: AbortSignal | undefined;
  /** true: the coordinator asks for it, and what it was begun with is in its keeping. */
  readonly takenUp: boolean;
}

/** What a step gave: JSON. */
type Outcome = { readonly value: unknown } | { readonly failure: string };

/** The decision lies with the branch that the coordinator calls to have a workflow go on, beside the steps. */
const decisionAt = { branchId: '00', op: 'decision' } as const;

interface BegunStep {
  readonly branchId: string;
  readonly end: StepEnd;
  refused: boolean;
}

/** The workflow was ended by another run. */
class EndedElsewhere extends Error {
  readonly state: WorkflowState;
  constructor(state: WorkflowState) {
    super('the workflow was ended by another run');
    this.state = state;
  }
}

/** A step that was not begun when it was decided; it is not begun any more. */
class NotBegun extends Error {}

/**
 * Runs it, or takes it up.
 * @throws BusinessFailure when it was rolled back; AmendsClientError `conflict`: the gid belongs to another; whatever else its function, a step or a handler throws
 */
export async function runWorkflow<Input, Result>(means: Means, run: WorkflowRun<Input, Result>): Promise<unknown> {
  const state = await means.port.prepareWorkflow(run.start, run.signal);
  checkSame(run, state);
  try {
    return await (isEnded(state) ? resultOf(state) : runOpen(means, run, state));
  } catch (error) {
    if (error instanceof EndedElsewhere) return resultOf(error.state);
    throw error;
  }
}

function checkSame<Input, Result>({ start, takenUp }: WorkflowRun<Input, Result>, { name, input }: WorkflowState): void {
  const { gid } = start;
  if (name !== start.name)
    throw new AmendsClientError('conflict', `${gid} is a run of the workflow ${name}, not ${start.name}`, { gid });
  if (!takenUp && input !== start.input) throw new AmendsClientError('conflict', `${gid} was begun with another input`, { gid });
}

function isEnded({ status }: WorkflowState): boolean {
  return status === 'succeed' || status === 'failed';
}

function resultOf({ status, reason, result }: WorkflowState): unknown {
  if (status === 'failed') throw new BusinessFailure(reason);
  return result === '' ? undefined : JSON.parse(result);
}

async function runOpen<Input, Result>(
  { port, participants }: Means,
  { start, work, signal }: WorkflowRun<Input, Result>,
  state: WorkflowState,
): Promise<unknown> {
  const { gid } = start;
  const recorded = new Map<string, RecordedStep>();
  const remember = (steps: readonly RecordedStep[]) => {
    for (const step of steps) recorded.set(keyOf(step), step);
  };
  remember(state.recorded);
  const wasDecided = recorded.has(keyOf(decisionAt));
  const begun: BegunStep[] = [];
  const settling: Promise<unknown>[] = [];
  const nextId = branchIds();

  /** @returns what is recorded: this, or what another run has recorded before */
  async function record(step: RecordedStep): Promise<RecordedStep> {
    try {
      await port.register({ mode: 'workflow', gid, ...step }, signal);
      return step;
    } catch (error) {
      if (!(error instanceof AmendsClientError && error.code === 'conflict')) throw error;
      const now = await port.prepareWorkflow(start, signal);
      if (isEnded(now)) throw new EndedElsewhere(now);
      remember(now.recorded);
      const other = recorded.get(keyOf(step));
      if (other === undefined) throw error;
      return other;
    }
  }

  async function step(name: string, act: (call: BranchRef) => unknown, end: StepEnd): Promise<unknown> {
    const branchId = nextId();
    const known = recorded.get(keyOf({ branchId, op: 'action' }));
    if (known === undefined && wasDecided) throw new NotBegun(`the step ${name} was not begun when the workflow was decided`);
    const own: BegunStep = { branchId, end, refused: false };
    begun.push(own);
    const done = known ?? (await record(await attempt({ gid, transType: 'workflow', branchId, op: 'action' }, name, act)));
    const outcome = outcomeOf(done, name);
    if ('value' in outcome) return outcome.value;
    own.refused = true;
    throw new BusinessFailure(outcome.failure);
  }

  function tracked<Value>(value: Promise<Value>): Promise<Value> {
    settling.push(value);
    value.catch(() => {}); // Whoever waits for it hears it; the run looks at all in the end.
    return value;
  }

  const workflow: Workflow = {
    gid,
    signal,
    do: <Value>(name: string, act: (call: BranchRef) => Value | Promise<Value>, end: StepEnd = {}) =>
      tracked(step(name, act, end)) as Promise<Value>,
    fetch: <Answer>(url: string, request: StepRequest = {}) => {
      const { onRollback, onCommit, rollBackRefused = false, ...how } = request;
      const calling = (address: string): StepHandler => {
        return (call) =>
          participants.call(address, call, { ...how, headers: { ...start.options.headers, ...how.headers }, signal });
      };
      const handler = (to: string | StepHandler | undefined) => (typeof to === 'string' ? calling(to) : to);
      const end = { onRollback: handler(onRollback), onCommit: handler(onCommit), rollBackRefused };
      return tracked(step(url, calling(url), end)) as Promise<Answer>;
    },
  };

  const outcome = await outcomeOfFunction(() => work(workflow, JSON.parse(state.input) as Input));
  await allSettled(settling);
  const decision = await decide(outcome);
  await secondPhase('value' in decision ? 'commit' : 'rollback');
  if ('value' in decision) {
    await port.conclude(gid, { status: 'succeed', result: JSON.stringify(decision.value ?? null) }, signal);
    return decision.value;
  }
  await port.conclude(gid, { status: 'failed', reason: decision.failure }, signal);
  throw new BusinessFailure(decision.failure);

  async function decide(wanted: Outcome | { readonly error: unknown }): Promise<Outcome> {
    const known = recorded.get(keyOf(decisionAt));
    if (known !== undefined) return outcomeOf(known, decisionAt.op);
    if ('error' in wanted) throw wanted.error;
    return outcomeOf(await record(recordOf(decisionAt, decisionAt.op, wanted)), decisionAt.op);
  }

  async function secondPhase(op: 'commit' | 'rollback'): Promise<void> {
    for (const { branchId, end, refused } of begun.toReversed()) {
      const handler = op === 'commit' ? end.onCommit : end.onRollback;
      const passedOver = op === 'rollback' && refused && end.rollBackRefused !== true;
      if (handler === undefined || passedOver || recorded.has(keyOf({ branchId, op }))) continue;
      await handled(handler, { gid, transType: 'workflow', branchId, op });
      await record(recordOf({ branchId, op }, op, { value: null }));
    }
  }
}

async function handled(handler: StepHandler, call: BranchRef): Promise<void> {
  try {
    await handler(call);
  } catch (error) {
    if (!(error instanceof BusinessFailure)) throw error;
    throw new Error(`the ${call.op} of the step ${call.branchId} refuses, which is too late: it is tried again`, {
      cause: error,
    });
  }
}

async function attempt(call: BranchRef, name: string, act: (call: BranchRef) => unknown): Promise<RecordedStep> {
  try {
    return recordOf(call, name, { value: (await act(call)) ?? null });
  } catch (error) {
    if (error instanceof BusinessFailure) return recordOf(call, name, { failure: error.message });
    throw error;
  }
}

async function outcomeOfFunction(work: () => Promise<unknown>): Promise<Outcome | { readonly error: unknown }> {
  try {
    return { value: (await work()) ?? null };
  } catch (error) {
    return error instanceof BusinessFailure ? { failure: error.message } : { error };
  }
}

/** @throws the error of a step without an answer, even if the function has gone on without it */
async function allSettled(steps: readonly Promise<unknown>[]): Promise<void> {
  for (const each of await Promise.allSettled(steps)) {
    if (each.status === 'fulfilled') continue;
    if (!(each.reason instanceof BusinessFailure || each.reason instanceof NotBegun)) throw each.reason;
  }
}

function keyOf({ branchId, op }: { readonly branchId: string; readonly op: string }): string {
  return `${branchId}-${op}`;
}

function recordOf(
  { branchId, op }: { readonly branchId: string; readonly op: string },
  step: string,
  outcome: Outcome,
): RecordedStep {
  return { branchId, op, status: 'value' in outcome ? 'succeed' : 'failed', data: JSON.stringify({ step, ...outcome }) };
}

function outcomeOf({ branchId, data }: RecordedStep, name: string): Outcome {
  const { step, ...outcome } = JSON.parse(data) as { readonly step: string } & Outcome;
  if (step === name) return outcome;
  throw new Error(`the step ${branchId} is ${name}, but ${step} is recorded: the function must do the same each time`);
}
