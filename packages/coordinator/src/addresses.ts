/**
 * Addresses of participants, for whoever judges them beside a coordinator: what they say, where they lead, which are never
 * called.
 */
export { addressKind, isLoopbackHost, placeOf, refuseForbidden, withoutMapping } from './calls/address/network-address.ts';
export { parseAddress } from './calls/address/parse-address.ts';
