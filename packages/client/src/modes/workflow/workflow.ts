/**
 * Workflows: a function whose steps are recorded. After a crash the coordinator has it run again; recorded steps give what
 * they gave, and it goes on where it was. So between its steps it must do the same each time: no clock, no chance, no I/O.
 */

import type { TransactionOptions } from '../../api/transaction-port.ts';
import type { OnlyJson } from '../../barriers/kept-json.ts';
import type { BranchRef } from '../../participants/call.ts';
import type { BranchRequest } from '../../participants/participant-request.ts';

/** What is done in the end about a step. Called at least once, late, perhaps by another process: use a barrier with the call. */
export type StepHandler = (call: BranchRef) => unknown;

/** The end of a step: when the workflow succeeds or fails, the steps' handlers run in reverse order. */
export interface StepEnd {
  /** Undoes the step. It may have had no effect: a step without an answer is undone too. */
  readonly onRollback?: StepHandler | undefined;
  /** Completes the step. */
  readonly onCommit?: StepHandler | undefined;
  /** true: undone even when the step itself has refused. Default: not, for what refuses has done nothing. */
  readonly rollBackRefused?: boolean;
}

/** A call of a participant as a step. */
export interface StepRequest extends Omit<BranchRequest, 'signal'>, Omit<StepEnd, 'onRollback' | 'onCommit'> {
  /** Undoes the step: an address, which is called with the same payload, or a function. */
  readonly onRollback?: string | StepHandler;
  /** Completes the step: an address, which is called with the same payload, or a function. */
  readonly onCommit?: string | StepHandler;
}

/** A run of a workflow, as its function sees it. */
export interface Workflow {
  readonly gid: string;
  /** Aborts when this run is given up; the workflow is not. */
  readonly signal: AbortSignal | undefined;
  /**
   * A step of one's own. What it returns is recorded as JSON and given back as JSON brings it back; what cannot be recorded makes
   * the step fail, and it is undone with the others.
   * @param name must be the same each time
   * @throws BusinessFailure as the work does, recorded too; or when there is no room for another step. NeedsAttention: a human
   * has to look, the workflow is held. Anything else ends the run, and the workflow goes on later
   */
  do<Result>(
    name: string,
    work: ((call: BranchRef) => Result | Promise<Result>) & OnlyJson<Result>,
    end?: StepEnd,
  ): Promise<Result>;
  /** A step that calls a participant. @returns its answer, recorded @throws BusinessFailure when it refuses, recorded too */
  fetch<Answer = unknown>(url: string, request?: StepRequest): Promise<Answer>;
}

/**
 * What a workflow does: returns, and it is committed; throws BusinessFailure, and it is rolled back; throws anything else: later.
 */
export type WorkflowFunction<Input, Result> = (workflow: Workflow, input: Input) => Promise<Result>;

/** What holds for all runs of a workflow. */
export interface WorkflowOptions extends Omit<TransactionOptions, 'timeoutMs'> {
  /** Address of this application where the coordinator has workflows go on: a route with `client.resumeWorkflows()`. */
  readonly resume: string;
}

export interface WorkflowRunOptions {
  /** Identity chosen by the caller: running the same again goes on, or gives the result. Default: one is made. */
  readonly gid?: string;
  /** Gives up this run; the coordinator has it go on later. */
  readonly signal?: AbortSignal;
}

/** A workflow that is known by its name. */
export interface RegisteredWorkflow<Input, Result> {
  readonly name: string;
  /**
   * Runs it.
   * @returns what its function returns, as JSON brings it back
   * @throws BusinessFailure when it was rolled back; anything else: the run was broken off, and the coordinator has it go on
   */
  run(input: Input, options?: WorkflowRunOptions): Promise<Result>;
}
