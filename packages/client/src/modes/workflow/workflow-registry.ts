/** The workflows that an application has made known, and their runs in this process. */
import { jsonOf, type OnlyJson } from '../../barriers/kept-json.ts';
import type { Call } from '../../participants/call.ts';
import { BusinessFailure, type Handler, Ongoing } from '../../participants/verdict.ts';
import type { Means } from '../open-transaction.ts';
import type { RegisteredWorkflow, WorkflowFunction, WorkflowOptions, WorkflowRunOptions } from './workflow.ts';
import { runWorkflow, type WorkflowRun } from './workflow-run.ts';

/** The workflows of an application. */
export interface Workflows {
  /** @throws TypeError when the name is taken, or does not fit */
  register<Input, Result>(
    name: string,
    work: WorkflowFunction<Input, Result> & OnlyJson<Input> & OnlyJson<Result>,
    options: WorkflowOptions,
  ): RegisteredWorkflow<Input, Result>;
  /** Handles the coordinator's calls to go on. */
  readonly resume: Handler;
}

const nameCharactersMax = 45;

/** An empty registry. */
export function workflows(means: Means): Workflows {
  const known = new Map<string, (gid: string, input: unknown) => Promise<unknown>>();
  const running = new Map<string, Promise<unknown>>();

  /** One run of a transaction at a time; who asks for another hears of the same. */
  function once(gid: string, run: () => Promise<unknown>): Promise<unknown> {
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
        const begun = { gid, name, input: jsonOf(input ?? null, `the input of ${name}`), resume, options };
        return once(gid, () => runWorkflow(means, { start: begun, work, ...how }));
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
        // It has ended, as the coordinator knows.
      }
    },
  };
}
