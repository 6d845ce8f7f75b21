/** Hosts and networks as operators write them in lists: `api.example.com`, `*.example.com`, `10.0.0.0/8`, `10.1.2.3`. */
import { BlockList, isIP } from 'node:net';
import { withoutMapping } from '@amends/coordinator/addresses';

/** Whether an address, or the name that it was found by, is among the patterns. */
export type AddressMatcher = (address: string, hostname: string) => boolean;

interface Patterns {
  readonly networks: BlockList;
  readonly names: Set<string>;
  readonly suffixes: string[];
}

/** Whether a text is a host or a network. */
export function isAddressPattern(text: string): boolean {
  return addPattern(text, { networks: new BlockList(), names: new Set(), suffixes: [] });
}

/** Makes the matcher of patterns, each of which is one. */
export function addressMatcher(patterns: readonly string[]): AddressMatcher {
  const known: Patterns = { networks: new BlockList(), names: new Set(), suffixes: [] };
  for (const pattern of patterns)
    if (!addPattern(pattern, known)) throw new Error(`${JSON.stringify(pattern)} is neither a host nor a network`);
  return (address, hostname) => hasName(known, hostname) || hasAddress(known, address);
}

/** A dot at the end only says that the name is complete. */
function hasName({ names, suffixes }: Patterns, hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  return names.has(host) || suffixes.some((suffix) => host.endsWith(suffix));
}

function hasAddress({ networks }: Patterns, address: string): boolean {
  const plain = withoutMapping(address);
  return networks.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}

const networkForm = /^([^/]+?)(?:\/(\d{1,3}))?$/;
const suffixForm = /^\*(\.[a-z0-9.-]+)$/;
const nameForm = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;

/** @returns whether it is one */
function addPattern(text: string, { networks, names, suffixes }: Patterns): boolean {
  const pattern = text.toLowerCase();
  const [, address = '', prefix] = networkForm.exec(pattern) ?? [];
  const version = isIP(address);
  if (version !== 0) {
    const bits = version === 6 ? 128 : 32;
    const length = Number(prefix ?? bits);
    if (length <= bits) networks.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4');
    return length <= bits;
  }
  const suffix = suffixForm.exec(pattern)?.[1];
  if (suffix !== undefined) suffixes.push(suffix);
  else if (nameForm.test(pattern)) names.add(pattern);
  else return false;
  return true;
}
