/** What was thrown while a request was answered, as an operating error. */
import type { Log } from '@amends/coordinator';
import { AmendsError, isAmendsError } from '@amends/core';

/** An operating error as it is. Anything else is a bug: it is logged, and the caller hears that the log says more. */
export function operatingError(error: unknown, log: Log): AmendsError {
  if (isAmendsError(error)) return error;
  log.error({ err: error }, 'request failed by a bug');
  return new AmendsError('internal', 'the server has failed; its log says more');
}
