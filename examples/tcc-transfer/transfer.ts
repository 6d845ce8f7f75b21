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
  /** Whole cents. */
  readonly cents: number;
  /** Identity of the transfer: a repeated request with it is the same transfer. */
  readonly gid: string;
  /** How long the money may stay set aside without a decision; then all is cancelled. Milliseconds, default 30 s. */
  readonly timeoutMs?: number;
  /** Called when both banks have tried. When it throws, the transfer is cancelled. Default: it is confirmed. */
  readonly decide?: () => Promise<void>;
}

/**
 * Tries at both banks, then confirms.
 * @returns once the transfer is decided; after that it cannot fail
 * @throws BusinessFailure when a bank refuses; ParticipantError when a bank gives no verdict. Then all is cancelled
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
