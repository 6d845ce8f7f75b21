/** What every face shows of a transaction. */
import type { EpochMs, Given, Transaction } from '@amends/core';

/** A transaction and what was asked of it; the coordinator's view has this shape. */
export interface PresentedTransaction {
  readonly transaction: Transaction;
  /** What was recorded since is with it. */
  readonly given: Given;
  /** When it is looked at next; null: never, or calls are in flight. */
  readonly wakeAt: EpochMs | null;
}
