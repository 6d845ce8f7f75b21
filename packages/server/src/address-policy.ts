/**
 * Which addresses participants may have. Asked by the transport at each new connection with the address that it is
 * about to connect to, so that a name which resolves differently the next time gains nothing.
 */
import { BlockList, isIP } from 'node:net';
import { addressKind, withoutMapping } from './address.ts';

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

/**
 * Makes the policy.
 * @throws Error naming a pattern that is neither a host nor a network
 */
export function addressPolicy({ allow, deny, listensOnLoopback }: AddressRules): CheckAddress {
  const allowed = matcher(allow, 'participants.allow');
  const denied = matcher(deny, 'participants.deny');
  return remembered((address, hostname) => {
    const kind = addressKind(address);
    const place = address === hostname ? address : `${hostname} (${address})`;
    if (denied(address, hostname)) return `${place} is denied by participants.deny`;
    if (kind === 'forbidden') return `${place} is link-local, metadata, multicast or reserved, which is never called`;
    if (kind === 'public' || listensOnLoopback || allowed(address, hostname)) return null;
    return `${place} is a ${kind} address; add it to participants.allow to have it called`;
  });
}

/** Answers remembered; literal addresses are asked about at every call. */
const rememberedMax = 1_000;

function remembered(check: CheckAddress): CheckAddress {
  const answers = new Map<string, string | null>();
  return (address, hostname) => {
    const key = `${address} ${hostname}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    if (answers.size >= rememberedMax) answers.clear();
    const answer = check(address, hostname);
    answers.set(key, answer);
    return answer;
  };
}

type Matcher = (address: string, hostname: string) => boolean;

function matcher(patterns: readonly string[], option: string): Matcher {
  const networks = new BlockList();
  const names = new Set<string>();
  const suffixes: string[] = [];
  for (const pattern of patterns) addPattern(pattern.toLowerCase(), option, { networks, names, suffixes });
  return (address, hostname) => {
    const host = hostname.toLowerCase();
    if (names.has(host) || suffixes.some((suffix) => host.endsWith(suffix))) return true;
    const plain = withoutMapping(address);
    return networks.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  };
}

interface Patterns {
  readonly networks: BlockList;
  readonly names: Set<string>;
  readonly suffixes: string[];
}

function addPattern(pattern: string, option: string, { networks, names, suffixes }: Patterns): void {
  const [address = '', prefix] = pattern.split('/');
  const version = isIP(address);
  const bits = version === 6 ? 128 : 32;
  if (version !== 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)))
    networks.addSubnet(address, prefix === undefined ? bits : Number(prefix), version === 6 ? 'ipv6' : 'ipv4');
  else if (/^\*\.[a-z0-9.-]+$/.test(pattern)) suffixes.push(pattern.slice(1));
  else if (/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(pattern)) names.add(pattern);
  else
    throw new Error(
      `option ${option}: ${JSON.stringify(pattern)} is neither a host (api.example.com, *.example.com) nor a network (10.0.0.0/8)`,
    );
}
