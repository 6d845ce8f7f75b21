/** Resolves names so that a socket connects only to an address that was checked. */
import { type LookupAddress, type LookupAllOptions, lookup as resolveBySystem } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { CheckAddress } from './network-address.ts';

/** Code of the error by which `checkedLookup` refuses a name. */
export const forbiddenCode = 'EFORBIDDENADDRESS';

/** Finds all addresses of a name. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Makes the lookup of sockets. It leaves out the addresses of a name that are not permitted, because many names have some of
 * these beside others, above all link-local ones of IPv6. A name that has no other is refused, with the reason against its first.
 */
export function checkedLookup(checkAddress: CheckAddress, resolve: Resolve = resolveBySystem): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const permitted = addresses.filter(({ address }) => checkAddress(address, hostname) === null);
      const [first] = permitted;
      if (first === undefined) return callback(refusal(addresses[0]!.address, hostname, checkAddress), []);
      if (options.all === true) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

function refusal(address: string, hostname: string, checkAddress: CheckAddress): Error {
  return Object.assign(new Error(checkAddress(address, hostname) ?? ''), { code: forbiddenCode });
}
