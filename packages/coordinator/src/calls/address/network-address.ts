/** The kinds of network addresses, and which of them are never called. */
import { BlockList, isIP } from 'node:net';
import type { AddressKind, ParticipantAddress } from '../../ports/participant-address.ts';

/** One network, as `BlockList` takes it. */
type Network = readonly [address: string, prefix: number];

/** Networks without participants: link-local ones (cloud metadata among them), unspecified, multicast, reserved, broadcast. */
const forbidden = blockList([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
  ['::', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
]);

const loopback = blockList([
  ['127.0.0.0', 8],
  ['::1', 128],
]);

/** The networks of RFC 1918, carrier-grade NAT, benchmarking and protocol assignments, and the unique local ones of IPv6. */
const privateNetworks = blockList([
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['198.18.0.0', 15],
  ['192.0.0.0', 24],
  ['fc00::', 7],
]);

function blockList(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of networks) list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list;
}

/** The kind of an IP address. An IPv4 address in a form of IPv6 counts as itself. */
export function addressKind(address: string): AddressKind {
  const plain = withoutMapping(address);
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(plain) === 0 || forbidden.check(plain, family)) return 'forbidden';
  if (loopback.check(plain, family)) return 'loopback';
  return privateNetworks.check(plain, family) ? 'private' : 'public';
}

/**
 * The IPv4 address inside an IPv6 one (mapped `::ffff:0:0/96`, translated `::ffff:0:0:0/96` and `64:ff9b::/96`, 6to4
 * `2002::/16`, compatible `::/96`), so that no spelling leads around a rule; any other address without its zone.
 */
export function withoutMapping(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const words = wordsOf(bare);
  const [a, b, c, d, e, f, g, h] = words as [number, number, number, number, number, number, number, number];
  const lastFour = dotted(g, h);
  if (a === 0x2002) return dotted(b, c);
  if (a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0) return lastFour;
  if (a !== 0 || b !== 0 || c !== 0 || d !== 0) return bare;
  const marker = `${e} ${f}`;
  return marker === `0 ${0xffff}` || marker === `${0xffff} 0` || (marker === '0 0' && g !== 0) ? lastFour : bare;
}

function dotted(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight 16-bit words of an IPv6 address. */
function wordsOf(address: string): number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes) => {
    const [a, b, c, d] = bytes.slice(0, 4).map(Number) as [number, number, number, number];
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = '', tail] = hex.split('::');
  const first = words(head);
  const last = tail === undefined ? [] : words(tail);
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function words(text: string): number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
}

/** Says why an address must not be connected to; null: it may. It gets the address and the name that it was found by. */
export type CheckAddress = (address: string, hostname: string) => string | null;

/** Why a participant that is given as an IP address must not be called; null: it may, or it is given as a name. */
export function reasonAgainst({ kind, hostname }: ParticipantAddress, check: CheckAddress): string | null {
  return kind === 'name' ? null : check(hostname, hostname);
}

/** Refuses what no configuration allows: link-local, unspecified, multicast and reserved addresses, cloud metadata among them. */
export const refuseForbidden: CheckAddress = (address, hostname) =>
  addressKind(address) === 'forbidden'
    ? `${placeOf(address, hostname)} is link-local, metadata, multicast or reserved, which is never called`
    : null;

/** An address for people, with the name that it was found by. */
export function placeOf(address: string, hostname: string): string {
  return address === hostname ? address : `${hostname} (${address})`;
}

/** Whether a host to listen on can be reached from this machine only. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && addressKind(host) === 'loopback');
}
