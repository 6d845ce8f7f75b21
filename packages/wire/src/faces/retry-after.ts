/** When to come back after an error that may pass. */
import { type AmendsError, errorKinds } from '@amends/core';

/** For the `Retry-After` header; null: repeating will not help. Seconds. */
export function retryAfterSeconds(error: AmendsError): number | null {
  return errorKinds[error.code].retryable ? 1 : null;
}
