/** The steps of one run of a workflow. */

import { jsonOf, NotJson } from '../../barriers/kept-json.ts';
import type { BranchRef } from '../../participants/call.ts';
import type { Participants } from '../../participants/participant-request.ts';
import { BusinessFailure } from '../../participants/verdict.ts';
import { branchIds } from '../branch-ids.ts';
import type { StepEnd, StepHandler, StepRequest, Workflow } from './workflow.ts';
import { failed, type Journal, type Outcome } from './workflow-journal.ts';

/** A step that this run, or one before it, has begun. */
export interface BegunStep {
  readonly branchId: string;
  readonly end: StepEnd;
  readonly refused: boolean;
}

/** What the steps need. */
export interface StepsOptions {
  readonly gid: string;
  readonly journal: Journal;
  /** Nothing is begun any more. */
  readonly decided: boolean;
  readonly participants: Participants;
  /** Added to every call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

export interface Steps {
  /** What the workflow's function uses. */
  readonly workflow: Workflow;
  /** In the order in which they were begun. */
  readonly begun: readonly BegunStep[];
  /** @throws the error of a step without an answer, even if the function has gone on without it */
  settled(): Promise<void>;
}

/** A step that was not begun when it was decided. */
class NotBegun extends Error {}

/**
 * Records that a workflow has room for: one for each step, one for each end of a step that has one, and one for the decision. A
 * coordinator takes no more branches of one transaction.
 */
const recordsMax = 1_000;

/** No steps yet. */
export function workflowSteps({ gid, journal, decided, participants, headers, signal }: StepsOptions): Steps {
  const begun: { branchId: string; end: StepEnd; refused: boolean }[] = [];
  const under: Promise<unknown>[] = [];
  const nextId = branchIds();
  let records = 1;

  /** There must be room left for the decision and for what follows from it. */
  function takeRoom(name: string, { onCommit, onRollback }: StepEnd): void {
    records += onCommit === undefined && onRollback === undefined ? 1 : 2;
    if (records <= recordsMax) return;
    throw new BusinessFailure(
      `no room for the step ${name}: a workflow has ${recordsMax} records, one for each step and each end`,
    );
  }

  async function step(name: string, act: (call: BranchRef) => unknown, end: StepEnd): Promise<unknown> {
    takeRoom(name, end);
    const at = { branchId: nextId(), op: 'action' };
    const known = journal.read(at, name);
    if (known === undefined && decided) throw new NotBegun(`the step ${name} was not begun when the workflow was decided`);
    const own = { branchId: at.branchId, end, refused: false };
    begun.push(own);
    const outcome =
      known ??
      (await journal.write(at, name, await attempt(name, () => act({ gid, transType: 'workflow', ...at, answerWanted: true }))));
    if ('value' in outcome) return outcome.value;
    own.refused = outcome.done !== true;
    throw new BusinessFailure(outcome.failure);
  }

  function tracked<Answer>(answer: Promise<unknown>): Promise<Answer> {
    under.push(answer);
    answer.catch(() => {}); // Whoever waits for it hears it; all are looked at in the end.
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
    return tracked<Answer>(step(url, calling(url), end));
  }

  const workflow: Workflow = { gid, signal, do: (name, act, end = {}) => tracked(step(name, act, end)), fetch };
  return { workflow, begun, settled: () => settled(under) };
}

/** What cannot be kept would be done again each time: it fails, once. */
async function attempt(name: string, act: () => unknown): Promise<Outcome> {
  try {
    const value = (await act()) ?? null;
    jsonOf(value, `what the step ${name} returns`);
    return { value };
  } catch (error) {
    if (error instanceof NotJson) return failed(error.message);
    if (error instanceof BusinessFailure) return { failure: error.message };
    throw error;
  }
}

async function settled(steps: readonly Promise<unknown>[]): Promise<void> {
  for (const each of await Promise.allSettled(steps)) {
    if (each.status === 'fulfilled') continue;
    if (!(each.reason instanceof BusinessFailure || each.reason instanceof NotBegun)) throw each.reason;
  }
}
