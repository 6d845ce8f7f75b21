/** Taking the URLs of participants apart. They were checked when the transaction was accepted. */

import { grpcTarget, isGrpcTarget } from './grpc-target.ts';

/** Where to connect, and the path with the place where more query parameters go. */
export interface UrlParts {
  readonly origin: string;
  /** Host name or address without brackets. */
  readonly hostname: string;
  /** Path and query. */
  readonly path: string;
  /** Path and query, ending in `?` or `&`. */
  readonly pathToExtend: string;
}

/** Takes a URL apart. @throws TypeError when it is not one */
export function urlParts(url: string): UrlParts {
  const { origin, hostname, pathname, search } = new URL(url);
  const path = `${pathname}${search}`;
  return { origin, hostname: hostname.replace(/^\[|\]$/g, ''), path, pathToExtend: `${path}${search === '' ? '?' : '&'}` };
}

/** Host and port of a URL, for people and for grouping; empty when there is none. */
export function hostOf(url: string): string {
  if (isGrpcTarget(url)) return grpcTarget(url).authority;
  return URL.canParse(url) ? new URL(url).host : '';
}
