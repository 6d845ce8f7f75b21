/**
 * Workflows: functions whose steps are recorded. After a crash the coordinator has the function run again. Recorded steps return
 * what they returned before, so it goes on where it was. Between its steps the function must do the same each time: it reads no
 * clock, draws no random numbers, and does no I/O.
 */

import type { TransactionOptions } from '../../api/transaction-port.ts';
import type { OnlyJson } from '../../barriers/kept-json.ts';
import type { BranchRef } from '../../participants/call.ts';
import type { BranchRequest } from '../../participants/participant-request.ts';

/** Completes or undoes a step. It is called at least once, perhaps late and by another process: use a barrier with the call. */
export type StepHandler = (call: BranchRef) => unknown;

/** The end of a step. When the workflow succeeds or fails, the handlers of its steps run in reverse order. */
export interface StepEnd {
  /** Undoes the step. A step without an answer is undone too, so it may have had no effect. */
  readonly onRollback?: StepHandler | undefined;
  /** Completes the step. */
  readonly onCommit?: StepHandler | undefined;
  /** true: a step that refused is undone too. Default false, because a step that refuses has done nothing. */
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
  /** Aborts when this run is given up. The workflow itself goes on later. */
  readonly signal: AbortSignal | undefined;
  /**
   * Runs work as a step. Its result is recorded as JSON, and returned as JSON brings it back. A result that cannot be recorded
   * makes the step fail; it is then undone with the others.
   * @param name must be the same each time
   * @throws BusinessFailure when the work does, which is recorded too, or when there is no room for another step. NeedsAttention:
   * a human has to look, and the workflow is held. Any other error ends the run, and the workflow goes on later
   */
  do<Result>(
    name: string,
    work: ((call: BranchRef) => Result | Promise<Result>) & OnlyJson<Result>,
    end?: StepEnd,
  ): Promise<Result>;
  /**
   * Calls a participant as a step. @returns its answer, which is recorded @throws BusinessFailure when it refuses, recorded too
   */
  fetch<Answer = unknown>(url: string, request?: StepRequest): Promise<Answer>;
}

/**
 * The function of a workflow. When it returns, the workflow is committed; when it throws BusinessFailure, it is rolled back;
 * after any other error it runs again later.
 */
export type WorkflowFunction<Input, Result> = (workflow: Workflow, input: Input) => Promise<Result>;

/** Options of all runs of a workflow. */
export interface WorkflowOptions extends Omit<TransactionOptions, 'timeoutMs' | 'runAhead'> {
  /**
   * Address of this application that the coordinator calls to have workflows run again: a route with `client.resumeWorkflows()`.
   */
  readonly resume: string;
}

/** The identity of a run, and the signal that gives it up. */
export interface WorkflowRunOptions {
  /** Identity chosen by the caller. Running with it again goes on, or returns the result. Default: one is made. */
  readonly gid?: string;
  /** Gives up this run. The coordinator has the workflow go on later. */
  readonly signal?: AbortSignal;
}

/** A workflow that is registered under its name. */
export interface RegisteredWorkflow<Input, Result> {
  readonly name: string;
  /**
   * Runs it.
   * @returns the result of its function, as JSON brings it back
   * @throws BusinessFailure when it was rolled back. After any other error the coordinator has it go on
   */
  run(input: Input, options?: WorkflowRunOptions): Promise<Result>;
}
