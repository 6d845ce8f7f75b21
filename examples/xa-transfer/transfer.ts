/** A transfer between accounts at two banks: both databases prepare it, then both commit, or both roll back. */
import type { AmendsClient, Transaction } from '@amends/client';

/** An account at a bank. */
export interface Account {
  /** Address of the bank. */
  readonly bank: string;
  readonly account: string;
}

export interface Transfer {
  readonly from: Account;
  readonly to: Account;
  /** Whole cents: money is never a fraction. */
  readonly cents: number;
  /** Identity. */
  readonly gid: string;
  /** How long the databases may wait for a decision; then both roll back. Milliseconds, default 10 s. */
  readonly timeoutMs?: number;
  /** Asked when both have prepared: returns, and it shall be; throws, and it shall not. Default: it shall be. */
  readonly decide?: () => Promise<void>;
}

/**
 * Has both banks do their posting and prepare it, then commits.
 * @returns once that is decided: from there on it cannot fail
 * @throws BusinessFailure what a bank has refused; ParticipantError when a bank does not say: what is prepared is rolled back
 */
export function transfer(amends: AmendsClient, how: Transfer): Promise<Transaction> {
  const { from, to, cents, gid, timeoutMs = 10_000, decide = async () => {} } = how;
  return amends.xa(
    async (xa) => {
      await xa.call(`${from.bank}/withdraw`, { account: from.account, cents });
      await xa.call(`${to.bank}/deposit`, { account: to.account, cents });
      await decide();
    },
    { gid, timeoutMs },
  );
}
