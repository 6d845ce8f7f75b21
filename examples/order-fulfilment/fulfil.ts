/** An order from basket to parcel: everything happens, or the goods are released and the customer is refunded. */
import type { AmendsClient } from '@amends/client';

/** The order that a customer places. */
export interface Order {
  readonly id: string;
  readonly item: string;
  readonly count: number;
  readonly cents: number;
  readonly address: string;
  /** How long the customer has to pay before the goods are released. Milliseconds. */
  readonly payWithinMs: number;
}

/** Addresses of the services. */
export type Shop = Readonly<Record<'orders' | 'stock' | 'payment' | 'shipping', string>>;

/**
 * Four steps can be undone: order, reservation, bill, and waiting for the payment, which the time-out ends. Shipping is the
 * pivot. When the carrier refuses, the bill is refunded. Once the parcel is on its way, nothing is undone, and the steps that
 * record it are repeated until they succeed.
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
