/** Errors of connections that did not come about, and what outcomes call them. */
import type { Exchange } from '@amends/core';
import { forbiddenCode } from './address/checked-lookup.ts';

/** Codes of errors that come before a connection stands, when the participant has not seen the request. */
const refusedCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect_refused',
  ENOTFOUND: 'name_unknown',
  EAI_AGAIN: 'name_unknown',
  EHOSTUNREACH: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  EADDRNOTAVAIL: 'host_unreachable',
  ETIMEDOUT: 'connect_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  UND_ERR_INVALID_ARG: 'invalid_request',
  EPROTO: 'tls_failed',
  EMFILE: 'too_many_files',
  ENFILE: 'too_many_files',
};

/** Codes of OpenSSL and of Node's checks of certificates. */
const tlsCode = /^(ERR_TLS|ERR_SSL|UNABLE_TO_)|CERT/;

/** Classifies an error that came while a connection was being made. Nothing has been sent then, whatever the error is. */
export function classOfConnectError(error: Error): { readonly code: string; readonly exchange: Exchange } {
  const code = codeOf(error);
  if (code === forbiddenCode) return { code: 'address_forbidden', exchange: 'forbidden' };
  return { code: refusedCodes[code] ?? (tlsCode.test(code) ? 'tls_failed' : 'connect_refused'), exchange: 'refused' };
}

function codeOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return (first as NodeJS.ErrnoException).code ?? '';
}
