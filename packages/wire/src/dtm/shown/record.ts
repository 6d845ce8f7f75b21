/** What DTM's query objects are made of. */
import type { EpochMs, HistoryEntry } from '@amends/core';
import type { PresentedTransaction } from '../../faces/presented-transaction.ts';

/** A transaction with what DTM's query objects tell beside it. */
export interface DtmRecord extends PresentedTransaction {
  /** By ascending seq; of a long one perhaps only the beginning and the end. */
  readonly history: readonly HistoryEntry[];
  /** When somebody last asked for its next attempt, though it was finished; null: nobody did. */
  readonly resetAt: EpochMs | null;
}
