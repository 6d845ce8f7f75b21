/** Resolving names so that what was checked is what is connected to. */
import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { CheckAddress } from './address.ts';

/** Code of the error by which `checkedLookup` refuses a name. */
export const forbiddenCode = 'EFORBIDDENADDRESS';

/** Resolves a name and lets only permitted addresses through. For sockets. */
export function checkedLookup(checkAddress: CheckAddress): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const reason = reasonAgainst(addresses, hostname, checkAddress);
      if (reason !== null) return callback(Object.assign(new Error(reason), { code: forbiddenCode }), []);
      if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

function reasonAgainst(
  addresses: readonly { readonly address: string }[],
  hostname: string,
  checkAddress: CheckAddress,
): string | null {
  for (const { address } of addresses) {
    const reason = checkAddress(address, hostname);
    if (reason !== null) return reason;
  }
  return null;
}
