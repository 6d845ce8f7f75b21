/** Addresses of participants as DTM's clients write them: HTTP, or a gRPC method as `host:port/package.Service/Method`. */
import { limits, type Protocol, refuse } from '@amends/core';
import { parseJsonText } from './json-text.ts';
import { readObject } from './json-values.ts';
import { urlComplaint } from './outbound.ts';
import { shown } from './shown.ts';

const httpScheme = /^https?:\/\//i;
const grpcMethod = /^(?:grpcs?:\/\/)?(?<host>[^/\s@?#\\]+):(?<port>\d{1,5})\/[\w.]+\/\w+$/;
const portMax = 65_535;

/** Refuses what is wrong with an address. @throws AmendsError `invalid_request` naming `field` */
export function checkTarget(field: string, target: string, protocol: string): void {
  const complaint = targetComplaint(target, protocol);
  if (complaint !== null) refuse(field, complaint);
}

/** Why its protocol cannot call an address; null: it can. Transactions over gRPC may have HTTP steps, not the reverse. */
export function targetComplaint(target: string, protocol: string): string | null {
  if (protocol !== 'grpc' || target === '' || httpScheme.test(target)) return urlComplaint(target);
  if (target.length > limits.urlCharactersMax)
    return `has ${target.length} characters, at most ${limits.urlCharactersMax} are allowed`;
  const method = grpcMethod.exec(target);
  if (method === null)
    return `is ${shown(target)}, must be a gRPC method as host:port/package.Service/Method, or an http address`;
  const host = method.groups!['host']!;
  if (!URL.canParse(`http://${host}/`)) return `has the host ${shown(host)}, which is neither a name nor an address`;
  const port = Number(method.groups!['port']);
  return port === 0 || port > portMax ? `has port ${port}, must be from 1 to ${portMax}` : null;
}

/** A payload and where it goes. */
interface Params {
  readonly target: string;
  readonly protocol: string | undefined;
  readonly payload: Uint8Array | undefined;
}

/**
 * Refuses a payload that its target cannot take: a JSON-RPC method gets an object. No payload, and `null`, stand for none.
 * @throws AmendsError `invalid_request` naming `field`
 */
export function checkParams(field: string, { target, protocol, payload }: Params): void {
  if (protocol !== ('json-rpc' satisfies Protocol) || !target.includes('method') || payload === undefined) return;
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  if (text !== '' && text !== 'null') readObject(field, parseJsonText(field, text));
}
