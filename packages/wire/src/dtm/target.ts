/** Addresses of participants as DTM's clients write them: HTTP, or a gRPC method as `host:port/package.Service/Method`. */
import { limits } from '@amends/core';
import { refuse, shown } from '../field-error.ts';
import { checkUrl } from '../outbound.ts';

const httpScheme = /^https?:\/\//i;
const grpcMethod = /^(?:grpcs?:\/\/)?[^/\s@?#\\]+:(?<port>\d{1,5})\/[\w.]+\/\w+$/;
const portMax = 65_535;

/**
 * Refuses an address that its protocol cannot call. Transactions over gRPC may have HTTP steps, not the reverse.
 * @throws AmendsError `invalid_request` naming `field`
 */
export function checkTarget(field: string, target: string, protocol: string): void {
  if (protocol !== 'grpc' || target === '' || httpScheme.test(target)) return checkUrl(field, target);
  if (target.length > limits.urlCharactersMax)
    refuse(field, `has ${target.length} characters, at most ${limits.urlCharactersMax} are allowed`);
  const method = grpcMethod.exec(target);
  if (method === null)
    refuse(field, `is ${shown(target)}, must be a gRPC method as host:port/package.Service/Method, or an http address`);
  const port = Number(method.groups!['port']);
  if (port === 0 || port > portMax) refuse(field, `has port ${port}, must be from 1 to ${portMax}`);
}
