/** A sale: one piece leaves the stock in Redis if, and only if, its order is delivered. */
import type { AmendsClient, Transaction } from '@amends/client';
import type { redisBarrier } from '@amends/client/redis';

/** What a buyer wants. */
export interface Sale {
  /** Identity of the order: a repeated request with it is the same order. */
  readonly order: string;
  readonly buyer: string;
  readonly item: string;
}

/** The services that take part. */
export interface Place {
  /** The stock in Redis. */
  readonly stock: ReturnType<typeof redisBarrier>;
  /** Address of the service that keeps orders. */
  readonly orders: string;
  /** Address that says whether a piece has left the stock, by the same barrier. */
  readonly sold: string;
}

/** The key of an item's stock. */
export function stockKey(item: string): string {
  return `stock:${item}`;
}

/**
 * Announces the order, takes a piece, and submits the order. When a process dies in between, the coordinator asks `sold` whether
 * a piece was taken, and delivers the order or drops it.
 * @throws BusinessFailure when nothing is left; the order is dropped then
 */
export function sell(amends: AmendsClient, { order, buyer, item }: Sale, { stock, orders, sold }: Place): Promise<Transaction> {
  return amends
    .message({ timeoutMs: 3_000 })
    .step({ action: `${orders}/create`, payload: { order, buyer, item } })
    .doAndSubmit(stock, (amounts) => amounts.adjust(stockKey(item), -1), { gid: order, queryPrepared: sold });
}
