/**
 * Which addresses participants may have. Asked by the transport at each new connection with the address that it is
 * about to connect to, so that a name which resolves differently the next time gains nothing.
 */
import { addressKind } from './address.ts';
import { addressMatcher } from './address-patterns.ts';
import { remembered } from './remembered.ts';

/** What the policy goes by. */
export interface AddressRules {
  /** Hosts (`api.example.com`, `*.example.com`) and networks (`10.0.0.0/8`, `10.1.2.3`) that may be called although private. */
  readonly allow: readonly string[];
  /** Hosts and networks that are never called; wins over `allow`. */
  readonly deny: readonly string[];
  /** The server itself listens on loopback only: then loopback and private addresses are its neighbours. */
  readonly listensOnLoopback: boolean;
}

/** Why an address must not be connected to; null when it may. */
export type CheckAddress = (address: string, hostname: string) => string | null;

/** Makes the policy. Its answers are remembered: literal addresses are asked about at every call. */
export function addressPolicy({ allow, deny, listensOnLoopback }: AddressRules): CheckAddress {
  const allowed = addressMatcher(allow);
  const denied = addressMatcher(deny);
  const check: CheckAddress = (address, hostname) => {
    const kind = addressKind(address);
    const place = address === hostname ? address : `${hostname} (${address})`;
    if (denied(address, hostname)) return `${place} is denied by participants.deny`;
    if (kind === 'forbidden') return `${place} is link-local, metadata, multicast or reserved, which is never called`;
    if (kind === 'public' || listensOnLoopback || allowed(address, hostname)) return null;
    return `${place} is a ${kind} address; add it to participants.allow to have it called`;
  };
  const answers = remembered((place: string) => check(...(place.split(' ') as [string, string])));
  return (address, hostname) => answers(`${address} ${hostname}`);
}
