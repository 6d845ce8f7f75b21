/** A transfer between accounts at two banks: all of it happens, or none of it. */
import type { AmendsClient } from '@amends/client';

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
  /** Address of the post office that tells the recipient. */
  readonly letters: string;
}

/**
 * The steps of a transfer:
 * 1. debit, which a refund undoes;
 * 2. credit, the pivot: the other bank may refuse it, but once the recipient has the money it is never undone;
 * 3. notify, which cannot be undone and therefore comes last, and is repeated until it succeeds.
 */
export function transfer(amends: AmendsClient, { from, to, cents, letters }: Transfer) {
  const letter = { recipient: to.account, text: `${from.account} has sent you ${cents} cents` };
  return amends
    .saga()
    .step({ action: `${from.bank}/debit`, compensate: `${from.bank}/refund`, payload: { account: from.account, cents } })
    .step({ kind: 'pivot', action: `${to.bank}/credit`, payload: { account: to.account, cents } })
    .step({ kind: 'retriable', action: `${letters}/notify`, payload: letter });
}
