/** The steps of one run of a workflow. */

import type { BranchRef } from '../../participants/call.ts';
import type { Participants } from '../../participants/participant-request.ts';
import { BusinessFailure } from '../../participants/verdict.ts';
import { branchIds } from '../branch-ids.ts';
import type { StepEnd, StepHandler, StepRequest, Workflow } from './workflow.ts';
import { runToEnd } from './workflow-ending.ts';
import type { Journal } from './workflow-journal.ts';

/** A step that this run, or one before it, has begun. */
export interface BegunStep {
  readonly branchId: string;
  readonly end: StepEnd;
  readonly refused: boolean;
}

/** What the steps of a run work with. */
export interface StepsOptions {
  readonly gid: string;
  readonly journal: Journal;
  /** true: no new step may begin. */
  readonly decided: boolean;
  readonly participants: Participants;
  /** Added to every call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** The steps of a run. */
export interface Steps {
  /** What the workflow's function uses. */
  readonly workflow: Workflow;
  /** In the order in which they were begun. */
  readonly begun: readonly BegunStep[];
  /** Waits for all steps. @throws the error of a step that did not end, also where the function has ignored it */
  settle(): Promise<void>;
}

/** A step had not begun when the workflow was decided. */
class NotBegun extends Error {}

/**
 * How many records a workflow has: one for each step, one for each end of a step, and one for the decision. A coordinator takes
 * no more branches of one transaction.
 */
const recordsMax = 1_000;

/** Makes the steps of a run, of which none has begun. */
export function workflowSteps({ gid, journal, decided, participants, headers, signal }: StepsOptions): Steps {
  const begun: { branchId: string; end: StepEnd; refused: boolean }[] = [];
  const under: Promise<unknown>[] = [];
  const nextId = branchIds();
  let records = 1;

  /** Reserves the records of a step and of its end, so that there is room for the decision and for what follows. */
  function takeRoom(name: string, { onCommit, onRollback }: StepEnd): void {
    records += onCommit === undefined && onRollback === undefined ? 1 : 2;
    if (records <= recordsMax) return;
    throw new BusinessFailure(
      `no room for the step ${name}: a workflow has ${recordsMax} records, one for each step and each end`,
    );
  }

  async function takeStep(name: string, act: (call: BranchRef) => unknown, end: StepEnd): Promise<unknown> {
    takeRoom(name, end);
    const at = { branchId: nextId(), op: 'action' };
    const known = journal.read(at, name);
    if (known === undefined && decided) throw new NotBegun(`the step ${name} was not begun when the workflow was decided`);
    const own = { branchId: at.branchId, end, refused: false };
    begun.push(own);
    const run = () => act({ gid, transType: 'workflow', ...at, answerWanted: true });
    const ending = known ?? (await journal.write(at, name, await runToEnd(`what the step ${name} returns`, run)));
    if ('value' in ending) return ending.value;
    own.refused = ending.done !== true;
    throw new BusinessFailure(ending.failure);
  }

  function track<Answer>(answer: Promise<unknown>): Promise<Answer> {
    under.push(answer);
    answer.catch(() => {}); // The function may handle it; `settle` awaits all.
    return answer as Promise<Answer>;
  }

  function fetch<Answer>(
    url: string,
    { onRollback, onCommit, rollBackRefused = false, ...how }: StepRequest = {},
  ): Promise<Answer> {
    const calling = (address: string): StepHandler => {
      return (call) => participants.call(address, call, { ...how, headers: { ...headers, ...how.headers }, signal });
    };
    const handler = (to: string | StepHandler | undefined) => (typeof to === 'string' ? calling(to) : to);
    const end = { onRollback: handler(onRollback), onCommit: handler(onCommit), rollBackRefused };
    return track<Answer>(takeStep(url, calling(url), end));
  }

  const workflow: Workflow = { gid, signal, do: (name, act, end = {}) => track(takeStep(name, act, end)), fetch };
  return { workflow, begun, settle: () => settle(under) };
}

async function settle(steps: readonly Promise<unknown>[]): Promise<void> {
  for (const each of await Promise.allSettled(steps)) {
    if (each.status === 'fulfilled') continue;
    if (!(each.reason instanceof BusinessFailure || each.reason instanceof NotBegun)) throw each.reason;
  }
}
