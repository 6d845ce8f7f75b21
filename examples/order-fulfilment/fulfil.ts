/** An order from basket to parcel: everything happens, or the goods are back on the shelf and the money with the customer. */
import type { AmendsClient } from '@amends/client';

/** What a customer wants. */
export interface Order {
  readonly id: string;
  readonly item: string;
  readonly count: number;
  readonly cents: number;
  readonly address: string;
  /** Goods that are not paid for in this time go back on the shelf. Milliseconds. */
  readonly payWithinMs: number;
}

/** Addresses of the services. */
export type Shop = Readonly<Record<'orders' | 'stock' | 'payment' | 'shipping', string>>;

/**
 * Four steps can be undone: order, reservation, bill, and waiting for the payment, which the time-out ends. Shipping is the
 * pivot: the carrier may refuse it, and then the bill is refunded; once the parcel is on its way there is no way back, and
 * what is left to be written down is tried until it succeeds.
 */
export function fulfil(amends: AmendsClient, shop: Shop, { payWithinMs, address, ...order }: Order) {
  const { id, item, count, cents } = order;
  return amends
    .saga({ timeoutMs: payWithinMs })
    .step({ action: `${shop.orders}/place`, compensate: `${shop.orders}/cancel`, payload: order })
    .step({ action: `${shop.stock}/reserve`, compensate: `${shop.stock}/release`, payload: { item, count } })
    .step({ action: `${shop.payment}/bill`, compensate: `${shop.payment}/cancel`, payload: { id, cents } })
    .step({ action: `${shop.payment}/settled`, irreversible: true, payload: { id }, retry: { kind: 'fixed', delayMs: 200 } })
    .step({ kind: 'pivot', action: `${shop.shipping}/ship`, payload: { id, address } })
    .step({ kind: 'retriable', action: `${shop.stock}/hand-over`, payload: { item, count } })
    .step({ kind: 'retriable', action: `${shop.orders}/complete`, payload: { id } });
}
