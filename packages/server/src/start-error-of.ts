/** What the operator is told of a start that failed. */
import { isAmendsError } from '@amends/core';
import { StartError } from './start-error.ts';

/** An operating error met at start is the operator's to mend. Anything else is a bug and stays as it is. */
export function startErrorOf(error: unknown): unknown {
  return isAmendsError(error) ? new StartError(error.message, { cause: error }) : error;
}
