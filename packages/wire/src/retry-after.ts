/** When to come back: after an error that may pass, for a transaction that goes on later. */
import { type AmendsError, type EpochMs, errorKinds } from '@amends/core';
import type { TransactionBody } from './native/responses.ts';

/** For the `Retry-After` header; null: repeating will not help. Seconds. */
export function retryAfterSeconds(error: AmendsError): number | null {
  return errorKinds[error.code].retryable ? 1 : null;
}

/** For the `Retry-After` header of a transaction; null: it is at rest, or calls are in flight. Seconds, at least 1. */
export function comeBackSeconds({ outcome, hold, wakeAt }: TransactionBody, now: EpochMs): number | null {
  if (outcome !== 'running' || hold !== null || wakeAt === null) return null;
  return Math.max(1, Math.ceil((Date.parse(wakeAt) - now) / 1000));
}
