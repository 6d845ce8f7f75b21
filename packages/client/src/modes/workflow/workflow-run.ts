/**
 * One run of a workflow's function, from what is recorded to its end.
 *
 * RUN-1: A step that is recorded is not done again; it returns what it returned before.
 * RUN-2: The decision to commit or to roll back is recorded before the first handler of the second phase runs, and never changes.
 * RUN-3: The decision is made only when every step that was begun has ended.
 * RUN-4: Of two runs at once, the first to record a step is right, and the other takes over its record.
 */
import { isDeepStrictEqual } from 'node:util';
import { AmendsClientError } from '../../api/client-error.ts';
import type { WorkflowStart, WorkflowState } from '../../api/transaction-port.ts';
import type { BranchRef } from '../../participants/call.ts';
import { BusinessFailure } from '../../participants/verdict.ts';
import type { Means } from '../open-transaction.ts';
import type { StepHandler, WorkflowFunction } from './workflow.ts';
import { type Ending, runToEnd } from './workflow-ending.ts';
import { EndedElsewhere, isEnded, type Journal, openJournal, readEnd } from './workflow-journal.ts';
import { type BegunStep, workflowSteps } from './workflow-steps.ts';

/** A workflow, its function, and how it is run. */
export interface WorkflowRun<Input, Result> {
  readonly start: WorkflowStart;
  readonly work: WorkflowFunction<Input, Result>;
  readonly signal: AbortSignal | undefined;
  /** true: the coordinator asks for the run, and has the input. */
  readonly takenUp: boolean;
}

/** The place of the decision: the branch that the coordinator calls to have a workflow run again. */
const decisionAt = { branchId: '00', op: 'decision' } as const;

/**
 * Begins a workflow, or goes on with it.
 * @throws BusinessFailure when it was rolled back. AmendsClientError `conflict` when the gid belongs to another. Whatever else
 * its function, a step or a handler throws
 */
export async function runWorkflow<Input, Result>(means: Means, run: WorkflowRun<Input, Result>): Promise<unknown> {
  const state = await means.port.prepareWorkflow(run.start, run.signal);
  checkSame(run, state);
  try {
    return await (isEnded(state) ? readEnd(state) : runOpen(means, run, state));
  } catch (error) {
    if (error instanceof EndedElsewhere) return readEnd(error.state);
    throw error;
  }
}

function checkSame<Input, Result>({ start, takenUp }: WorkflowRun<Input, Result>, { name, input }: WorkflowState): void {
  const { gid } = start;
  if (name !== start.name)
    throw new AmendsClientError('conflict', `${gid} is a run of the workflow ${name}, not ${start.name}`, { gid });
  if (!takenUp && !isSameJson(input, start.input))
    throw new AmendsClientError('conflict', `${gid} was begun with another input`, { gid });
}

function isSameJson(one: string, other: string): boolean {
  return one === other || isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
}

async function runOpen<Input, Result>(
  { port, participants }: Means,
  { start, work, signal }: WorkflowRun<Input, Result>,
  { recorded, input }: WorkflowState,
): Promise<unknown> {
  const { gid } = start;
  const journal = openJournal(port, start, { recorded, signal });
  const decided = journal.has(decisionAt);
  const steps = workflowSteps({ gid, journal, decided, participants, headers: start.options.headers ?? {}, signal });
  const wanted: Wanted = await runToEnd(`what the workflow ${start.name} returns`, () =>
    work(steps.workflow, JSON.parse(input) as Input),
  ).catch((error: unknown) => ({ error }));
  await steps.settle();
  const decision = await decide(journal, wanted);
  await runSecondPhase(steps.begun, { gid, journal, op: 'value' in decision ? 'commit' : 'rollback' });
  if ('failure' in decision) {
    await port.conclude(gid, { status: 'failed', reason: decision.failure }, signal);
    throw new BusinessFailure(decision.failure);
  }
  await port.conclude(gid, { status: 'succeed', result: JSON.stringify(decision.value) }, signal);
  return decision.value;
}

/** How the function ended; an error that is no verdict leaves the decision open. */
type Wanted = Ending | { readonly error: unknown };

async function decide(journal: Journal, wanted: Wanted): Promise<Ending> {
  const known = journal.read(decisionAt, decisionAt.op);
  if (known !== undefined) return known;
  if ('error' in wanted) throw wanted.error;
  return journal.write(decisionAt, decisionAt.op, wanted);
}

interface SecondPhase {
  readonly gid: string;
  readonly journal: Journal;
  readonly op: 'commit' | 'rollback';
}

async function runSecondPhase(begun: readonly BegunStep[], { gid, journal, op }: SecondPhase): Promise<void> {
  for (const { branchId, end, refused } of begun.toReversed()) {
    const handler = op === 'commit' ? end.onCommit : end.onRollback;
    const passedOver = op === 'rollback' && refused && end.rollBackRefused !== true;
    if (handler === undefined || passedOver || journal.has({ branchId, op })) continue;
    await callHandler(handler, { gid, transType: 'workflow', branchId, op });
    await journal.write({ branchId, op }, op, { value: null });
  }
}

async function callHandler(handler: StepHandler, call: BranchRef): Promise<void> {
  try {
    await handler(call);
  } catch (error) {
    if (!(error instanceof BusinessFailure)) throw error;
    throw new Error(`the ${call.op} of the step ${call.branchId} refuses, which is too late: it is tried again`, {
      cause: error,
    });
  }
}
