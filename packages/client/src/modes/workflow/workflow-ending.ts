/** How the work of a step, or the function of a workflow, ended. */
import { NotJson, toJson } from '../../barriers/kept-json.ts';
import { BusinessFailure } from '../../participants/verdict.ts';

/** A value that JSON can hold, or a failure. */
export type Ending = { readonly value: unknown } | Failure;

interface Failure {
  readonly failure: string;
  /** The work was done and only its result cannot be kept, so it is undone too. */
  readonly done?: true;
}

/**
 * Runs work to its end. A result that cannot be kept is a failure, because the work would otherwise be done again each time.
 * @param what names the result in the failure
 * @throws every error of the work that is no verdict
 */
export async function runToEnd(what: string, work: () => unknown): Promise<Ending> {
  try {
    const value = (await work()) ?? null;
    toJson(value, what);
    return { value };
  } catch (error) {
    if (error instanceof NotJson) return unkeepableFailure(error.message);
    if (error instanceof BusinessFailure) return { failure: error.message };
    throw error;
  }
}

/** Makes the failure of work that was done, but whose result cannot be kept. */
export function unkeepableFailure(reason: string): Failure {
  return { failure: reason, done: true };
}
