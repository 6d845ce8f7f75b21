/** Changes a price in the database and removes the old one from the cache: both, or neither. */
import { type AmendsClient, BusinessFailure, type sqliteBarrier, type Transaction } from '@amends/client';
import type Database from 'better-sqlite3';

export interface Change {
  /** Identity of the change: a repeated request with it is the same change. */
  readonly change: string;
  readonly product: string;
  /** At least 1. */
  readonly cents: number;
}

/** The services that take part. */
export interface Place {
  readonly db: ReturnType<typeof sqliteBarrier<Database.Database>>;
  /** Address of the service with the cache. */
  readonly cache: string;
  /** Address that says whether a change was committed, by the same barrier. */
  readonly changed: string;
}

/**
 * Changes the price in a local transaction, and has the cache delete its copy. When a process dies in between, the coordinator
 * asks `changed` whether the transaction was committed, and calls the cache if so.
 * @throws BusinessFailure when the price is below 1; nothing is changed then
 */
export function changePrice(
  amends: AmendsClient,
  { change, product, cents }: Change,
  { db, cache, changed }: Place,
): Promise<Transaction> {
  return amends
    .message({ timeoutMs: 3_000 })
    .step({ action: `${cache}/forget`, payload: { product } })
    .doAndSubmit(
      db,
      (tx) => {
        if (!Number.isSafeInteger(cents) || cents <= 0)
          throw new BusinessFailure(`${cents} is no price: whole cents, more than none`);
        tx.prepare('INSERT INTO price VALUES (?, ?) ON CONFLICT DO UPDATE SET cents = excluded.cents').run(product, cents);
      },
      { gid: change, queryPrepared: changed },
    );
}
