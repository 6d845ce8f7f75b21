/** When to try again: policies as data, per branch. Time and chance come in from outside. */

/** How the attempts of one op follow each other while their outcome is unknown. */
export interface RetryPolicy {
  readonly kind: 'fixed' | 'exponential';
  /** Pause before the second attempt, and between all of them when `fixed`. Milliseconds. */
  readonly delayMs: number;
  /** Upper bound of the pause before jitter. Milliseconds. */
  readonly delayMsMax: number;
  /** Attempts of unknown outcome after which the policy ends; null: never. */
  readonly attemptsMax: number | null;
  /** What happens at the end: undo the transaction where that is still allowed, or hold it for a human. */
  readonly atEnd: 'roll-back' | 'hold';
}

/** The policy of native transactions that name none: 1 s, 2 s, 4 s … up to a minute, for ever. */
export const defaultRetry: RetryPolicy = {
  kind: 'exponential',
  delayMs: 1_000,
  delayMsMax: 60_000,
  attemptsMax: null,
  atEnd: 'hold',
};

/** Pause lengths grow by up to this share, never shrink, so that backoff is a promise and crowds still disperse. */
export const jitterShare = 0.15;

/**
 * The pause before the next attempt, in milliseconds.
 * @param unknowns attempts of unknown outcome so far, at least 1
 * @param jitter a random number, 0 <= jitter < 1
 */
export function retryDelayMs(policy: RetryPolicy, unknowns: number, jitter: number): number {
  const doublings = policy.kind === 'fixed' ? 0 : Math.min(unknowns - 1, 40);
  const delay = Math.min(policy.delayMs * 2 ** doublings, Math.max(policy.delayMs, policy.delayMsMax));
  return Math.round(delay * (1 + jitterShare * jitter));
}

/** The pause while a participant says that it is still working: constant, by design of the protocol. */
export function ongoingDelayMs(policy: RetryPolicy, jitter: number): number {
  return Math.round(policy.delayMs * (1 + jitterShare * jitter));
}

/** Whether an op may be tried again after this many attempts of unknown outcome. */
export function mayRetry(policy: RetryPolicy, unknowns: number): boolean {
  return policy.attemptsMax === null || unknowns < policy.attemptsMax;
}
