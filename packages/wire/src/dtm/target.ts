/** Addresses of participants as DTM's clients write them: HTTP, or a gRPC method as `host:port/package.Service/Method`. */
import { limits } from '@amends/core';
import { refuse, shown } from '../field-error.ts';
import { checkUrl } from '../outbound.ts';

const httpScheme = /^https?:\/\//i;
const grpcMethod = /^(?:grpcs?:\/\/)?[^/\s@?#\\]+:\d{1,5}\/[\w.]+\/\w+$/;

/**
 * Refuses an address that its protocol cannot call. Transactions over gRPC may have HTTP steps, not the reverse.
 * @throws AmendsError `invalid_request` naming `field`
 */
export function checkTarget(field: string, target: string, protocol: string): void {
  if (protocol !== 'grpc' || target === '' || httpScheme.test(target)) return checkUrl(field, target);
  if (target.length > limits.urlCharactersMax)
    refuse(field, `has ${target.length} characters, at most ${limits.urlCharactersMax} are allowed`);
  if (!grpcMethod.test(target))
    refuse(field, `is ${shown(target)}, must be a gRPC method as host:port/package.Service/Method, or an http address`);
}
