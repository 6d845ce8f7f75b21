/** Resolving names so that what was checked is what is connected to. */
import { lookup as resolve } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
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

/**
 * The permitted addresses of a host.
 * @throws Error with a code: that of the resolver, or `forbiddenCode`
 */
export async function checkedAddresses(hostname: string, checkAddress: CheckAddress): Promise<readonly string[]> {
  const plain = isIP(hostname) !== 0;
  const addresses = plain ? [{ address: hostname }] : await lookup(hostname, { all: true });
  const reason = reasonAgainst(addresses, hostname, checkAddress);
  if (reason !== null) throw Object.assign(new Error(reason), { code: forbiddenCode });
  return addresses.map(({ address }) => address);
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
