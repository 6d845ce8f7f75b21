/**
 * What a request may make Amends send: addresses of participants and headers of branch calls. Shapes only; where they lead is the
 * transport's business.
 */
import { limits, type Protocol, refuse } from '@amends/core';
import { shown } from './shown.ts';

/** Refuses what is wrong with an address. @throws AmendsError `invalid_request` naming `field` */
export function checkUrl(field: string, url: string): void {
  const complaint = urlComplaint(url);
  if (complaint !== null) refuse(field, complaint);
}

/** Why an address is not an absolute HTTP or HTTPS address; null: it is. The empty text is allowed: nothing to call. */
export function urlComplaint(url: string): string | null {
  if (url === '') return null;
  if (url.length > limits.urlCharactersMax) return `has ${url.length} characters, at most ${limits.urlCharactersMax} are allowed`;
  if (!httpScheme.test(url) || !URL.canParse(url))
    return `is ${shown(url)}, must be an absolute address that begins with http:// or https://`;
  if (portZero.test(url)) return 'has port 0, where nothing can be called';
  if (untidy.test(url)) return 'must not contain white space or control characters; write them as %XX';
  if (url.includes('#')) return 'must not have a fragment (#...): it would never be sent';
  return url.includes('@') ? credentialsComplaint(url) : null;
}

const portZero = /^https?:\/\/[^/?#]*:0+(?:[/?#]|$)/i;
const httpScheme = /^https?:\/\/[^/]/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const untidy = /[\u0000- \u007f\\]/;

function credentialsComplaint(url: string): string | null {
  const { username, password } = new URL(url);
  if (username === '' && password === '') return null;
  return 'must not carry a user name or password: it would be stored and shown; use a header';
}

/** What a name of a header is made of. */
export const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What its value is made of: no control characters. Beyond ASCII it is sent as UTF-8. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
export const headerValue = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/;

/** Headers that belong to one connection, frame the message or tell who calls and how often: the transport alone sets them. */
export const reservedHeaders: ReadonlySet<string> = new Set([
  'amends-answer',
  'amends-attempt',
  'amends-epoch',
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Refuses headers that could break out of their line, frame the message, name another host or forge the fencing token.
 * @throws AmendsError `invalid_request` naming `field` and the header
 */
export function checkHeaders(field: string, headers: Readonly<Record<string, string>>): void {
  const names = Object.keys(headers);
  if (names.length === 0) return;
  if (names.length > limits.headersMax) refuse(field, `has ${names.length} headers, at most ${limits.headersMax} are allowed`);
  for (const name of names) checkHeader(`${field}.${headerName.test(name) ? name : shown(name)}`, name, headers[name]!);
}

function checkHeader(field: string, name: string, value: string): void {
  if (!headerName.test(name)) refuse(field, 'is not a valid header name');
  if (reservedHeaders.has(name.toLowerCase())) refuse(field, 'is set by Amends itself and must not be given');
  if (name.length > limits.headerNameCharactersMax)
    refuse(field, `has a name of ${name.length} characters, at most ${limits.headerNameCharactersMax} are allowed`);
  if (value.length > limits.headerCharactersMax)
    refuse(field, `has ${value.length} characters, at most ${limits.headerCharactersMax} are allowed`);
  if (!headerValue.test(value)) refuse(field, 'must not contain line breaks or control characters');
  if (!value.isWellFormed()) refuse(field, 'must not contain half of a surrogate pair, which is no character');
}

const metadataName = /^[0-9a-z_.-]+(?<!-bin)$/i;
const metadataValue = /^[ -~]*$/;

/**
 * Refuses headers that gRPC cannot carry as metadata.
 * @throws AmendsError `invalid_request` naming `field` and the header
 */
export function checkMetadata(field: string, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (/^grpc-/i.test(name)) refuse(`${field}.${name}`, 'is reserved by gRPC and must not be given');
    if (!metadataName.test(name)) refuse(`${field}.${name}`, 'is not a valid name in the metadata of gRPC');
    if (!metadataValue.test(value)) refuse(`${field}.${name}`, 'must be printable ASCII, as gRPC wants its metadata');
  }
}

/**
 * Refuses what calls over gRPC would have to carry in their metadata and cannot.
 * @throws AmendsError `invalid_request` naming `field`
 */
export function checkMetadataText(field: string, text: string, protocol: Protocol | undefined): void {
  if (protocol === 'grpc' && !/^[ -~]*$/.test(text))
    refuse(field, `is ${shown(text)}, may only have printable ASCII characters where participants are called over gRPC`);
}
