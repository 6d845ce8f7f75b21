/** A server that cannot start, for a reason that its operator can do something about. */

import { isAmendsError } from '@amends/core';

/** The message names the option and the remedy. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** What the operator is told: an operating error met at start is theirs to mend, anything else is a bug and stays as it is. */
export function startErrorOf(error: unknown): unknown {
  return isAmendsError(error) ? new StartError(error.message, { cause: error }) : error;
}
