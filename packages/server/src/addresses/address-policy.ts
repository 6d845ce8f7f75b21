/**
 * Which addresses participants may have. Asked by the transport at each new connection with the address that it is
 * about to connect to, so that a name which resolves differently the next time gains nothing.
 */
import type { CheckAddress } from '@amends/coordinator';
import { addressKind, placeOf, refuseForbidden } from '@amends/coordinator/addresses';
import { addressMatcher } from './address-patterns.ts';

/** What the policy goes by. */
export interface AddressRules {
  /** Hosts (`api.example.com`, `*.example.com`) and networks (`10.0.0.0/8`, `10.1.2.3`) that may be called although private. */
  readonly allow: readonly string[];
  /** Hosts and networks that are never called; wins over `allow`. */
  readonly deny: readonly string[];
  /** The server itself listens on loopback only: then loopback and private addresses are its neighbours. */
  readonly listensOnLoopback: boolean;
}

/** Makes the policy: what is always refused, then the operator's rules. */
export function addressPolicy({ allow, deny, listensOnLoopback }: AddressRules): CheckAddress {
  const allowed = addressMatcher(allow);
  const denied = addressMatcher(deny);
  return (address, hostname) => {
    if (denied(address, hostname)) return `${placeOf(address, hostname)} is denied by participants.deny`;
    const forbidden = refuseForbidden(address, hostname);
    if (forbidden !== null) return forbidden;
    const kind = addressKind(address);
    if (kind === 'public' || listensOnLoopback || allowed(address, hostname)) return null;
    return `${placeOf(address, hostname)} is a ${kind} address; add it to participants.allow to have it called`;
  };
}
