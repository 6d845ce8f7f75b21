/** Errors of connections, by their codes: what they are called in outcomes, and whether the participant may have heard the call. */
import type { Exchange } from '@amends/core';
import { forbiddenCode } from './checked-lookup.ts';

/** Errors before a connection stood: the participant has not seen the request. */
const refusedCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect_refused',
  ENOTFOUND: 'name_unknown',
  EAI_AGAIN: 'name_unknown',
  EHOSTUNREACH: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  EADDRNOTAVAIL: 'host_unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  UND_ERR_INVALID_ARG: 'invalid_request',
  EPROTO: 'tls_failed',
};

/** Codes of OpenSSL and of Node's checks of certificates. */
const tlsCode = /^(ERR_TLS|ERR_SSL|UNABLE_TO_)|CERT/;

/** Classifies an error by its code. */
export function classOfError(error: Error): { readonly code: string; readonly exchange: Exchange } {
  const code = codeOf(error);
  if (code === forbiddenCode) return { code: 'address_forbidden', exchange: 'forbidden' };
  const refused = refusedCodes[code];
  if (refused !== undefined) return { code: refused, exchange: 'refused' };
  return tlsCode.test(code) ? { code: 'tls_failed', exchange: 'refused' } : { code: 'connection_lost', exchange: 'broken' };
}

/** Classifies an error that came while a connection was being made, when nothing can have been sent whatever it is. */
export function classOfConnectError(error: Error): { readonly code: string; readonly exchange: Exchange } {
  if (codeOf(error) === 'ETIMEDOUT') return { code: 'connect_timeout', exchange: 'refused' };
  const known = classOfError(error);
  return known.exchange === 'broken' ? { code: 'connect_refused', exchange: 'refused' } : known;
}

function codeOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return (first as NodeJS.ErrnoException).code ?? '';
}
