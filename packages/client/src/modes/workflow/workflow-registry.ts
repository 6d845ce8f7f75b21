/** The workflows that an application has registered, and their runs in this process. */
import { type OnlyJson, toJson } from '../../barriers/kept-json.ts';
import type { Call } from '../../participants/call.ts';
import { BusinessFailure, type Handler, Ongoing } from '../../participants/verdict.ts';
import type { Means } from '../open-transaction.ts';
import type { RegisteredWorkflow, WorkflowFunction, WorkflowOptions, WorkflowRunOptions } from './workflow.ts';
import { runWorkflow, type WorkflowRun } from './workflow-run.ts';

export interface Workflows {
  /** @throws TypeError when the name is taken, empty or too long */
  register<Input, Result>(
    name: string,
    work: WorkflowFunction<Input, Result> & OnlyJson<Input> & OnlyJson<Result>,
    options: WorkflowOptions,
  ): RegisteredWorkflow<Input, Result>;
  /** Handles the coordinator's calls to run a workflow again. */
  readonly resume: Handler;
}

const nameCharactersMax = 45;

/** Makes an empty registry. */
export function workflowRegistry(means: Means): Workflows {
  const known = new Map<string, (gid: string, input: unknown) => Promise<unknown>>();
  const running = new Map<string, Promise<unknown>>();

  /** Runs a transaction once at a time: a second caller gets the promise of the run under way. */
  function runOnce(gid: string, run: () => Promise<unknown>): Promise<unknown> {
    const started = running.get(gid) ?? run().finally(() => running.delete(gid));
    running.set(gid, started);
    return started;
  }

  return {
    register<Input, Result>(name: string, work: WorkflowFunction<Input, Result>, { resume, ...options }: WorkflowOptions) {
      if (name === '' || name.length > nameCharactersMax)
        throw new TypeError(`a workflow's name has 1 to ${nameCharactersMax} characters`);
      if (known.has(name)) throw new TypeError(`there is a workflow ${name} already`);
      const start = (gid: string, input: unknown, how: Pick<WorkflowRun<Input, Result>, 'signal' | 'takenUp'>) => {
        const begun = { gid, name, input: toJson(input ?? null, `the input of ${name}`), resume, options };
        return runOnce(gid, () => runWorkflow(means, { start: begun, work, ...how }));
      };
      known.set(name, (gid, input) => start(gid, input, { signal: undefined, takenUp: true }));
      return {
        name,
        async run(input: Input, { gid = means.port.newGid(), signal }: WorkflowRunOptions = {}) {
          return (await start(gid, input, { signal, takenUp: false })) as Result;
        },
      };
    },

    async resume({ gid, op: name, body = null }: Call) {
      const takeUp = known.get(name);
      if (takeUp === undefined) throw new Error(`there is no workflow ${name} here`);
      if (running.has(gid)) throw new Ongoing(`the workflow ${gid} is running`);
      try {
        await takeUp(gid, body);
      } catch (error) {
        if (!(error instanceof BusinessFailure)) throw error;
        // The workflow has ended with a failure, which the coordinator has been told.
      }
    },
  };
}
