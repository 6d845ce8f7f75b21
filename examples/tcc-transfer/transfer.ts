/** A transfer between accounts at two banks, in two phases: both try, then both confirm, or both cancel. */
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
  /** Identity; the same once more is the same transfer. */
  readonly gid: string;
  /** How long the money may stay set aside without a decision; then all is cancelled. Milliseconds, default 30 s. */
  readonly timeoutMs?: number;
  /** Asked when both banks have tried: returns, and it shall be; throws, and it shall not. Default: it shall be. */
  readonly decide?: () => Promise<void>;
}

/**
 * Tries at both banks, then confirms.
 * @returns once that is decided: from there on it cannot fail
 * @throws BusinessFailure what a bank has refused; ParticipantError when a bank does not say: what it did is cancelled
 */
export function transfer(amends: AmendsClient, how: Transfer): Promise<Transaction> {
  const { from, to, cents, gid, timeoutMs = 30_000, decide = async () => {} } = how;
  return amends.tcc(
    async (tcc) => {
      await tcc.call({ ...posting(`${from.bank}/withdraw`), payload: { account: from.account, cents } });
      await tcc.call({ ...posting(`${to.bank}/deposit`), payload: { account: to.account, cents } });
      await decide();
    },
    { gid, timeoutMs },
  );
}

function posting(url: string) {
  return { try: `${url}/try`, confirm: `${url}/confirm`, cancel: `${url}/cancel` };
}
