/**
 * The guard against DNS rebinding: a page of a site whose name suddenly leads to this machine is, to the browser, of that
 * site, and sends no Origin when it reads. But the name is in the header Host, and ours is none of the site's.
 */
import { isLoopbackHost } from '@amends/coordinator/addresses';

/** Why a request with this header Host is not accepted; null: it is. */
export type CheckHost = (header: string | undefined) => string | null;

/**
 * Makes the check. Whoever listens on loopback only is called by a loopback address, by `localhost` or not at all; one that
 * others can reach has names that it does not know, so everything is let through.
 * @param host what the server listens on
 */
export function hostGuard(host: string): CheckHost {
  if (!isLoopbackHost(host)) return () => null;
  // The same header comes again and again.
  let accepted: string | null = null;
  return (header) => {
    // HTTP/1.0 sends none, and browsers do not speak that.
    if (header === undefined || header === accepted) return null;
    if (isLoopbackHost(nameOf(header))) accepted = header;
    return header === accepted
      ? null
      : `the header Host names ${JSON.stringify(header)}; this server listens on ${host} only: call it as localhost, or by a loopback address`;
  };
}

/** The host name in lower case, or the address in its plain spelling, without brackets and port; empty: it is none. */
function nameOf(header: string): string {
  const url = `http://${header}/`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}
