/** What every face shows of a transaction. */
import type { EpochMs, Spec, Transaction } from '@amends/core';

/** A transaction and what was asked of it; the coordinator's view has this shape. */
export interface PresentedTransaction {
  readonly transaction: Transaction;
  readonly spec: Spec;
  /** When it is looked at next; null: never, or calls are in flight. */
  readonly wakeAt: EpochMs | null;
}
