/** Resolving names so that what was checked is what is connected to. */
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
 * Resolves a name and leaves out the addresses that are not permitted, for many names have such ones beside others (link-local
 * ones of IPv6 above all). A name that has no other is refused, with the reason against its first address. For sockets.
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
