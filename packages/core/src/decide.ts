/** The whole business logic of Amends: what a transaction's mode makes of the events. One file per mode. */

import type { Decided, TransactionEvent } from './event.ts';
import { decideSaga } from './saga.ts';
import type { Spec } from './spec.ts';
import type { Transaction } from './transaction.ts';

/**
 * Decides, purely: the same arguments give the same answer.
 * @param before the transaction as of the last commit; null when `events` begins with `submitted`
 * @param events at least one, in the order they happened
 */
export function decide(before: Transaction | null, spec: Spec, events: readonly TransactionEvent[]): Decided {
  switch (spec.mode) {
    case 'saga':
      return decideSaga(before, spec, events);
    default:
      throw new Error(`mode ${String((spec as { mode: unknown }).mode)} is not known to this version`);
  }
}
