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
  /** Whole cents. */
  readonly cents: number;
  /** Identity. */
  readonly gid: string;
  /** How long the databases may wait for a decision; then both roll back. Milliseconds, default 10 s. */
  readonly timeoutMs?: number;
  /** Called when both have prepared. When it throws, the transfer is rolled back. Default: it is committed. */
  readonly decide?: () => Promise<void>;
}

/**
 * Has both banks do their posting and prepare it, then commits.
 * @returns once the transfer is decided; after that it cannot fail
 * @throws BusinessFailure when a bank refuses; ParticipantError when a bank gives no verdict. Then all is rolled back
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
