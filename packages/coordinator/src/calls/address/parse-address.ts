/** Takes the addresses of participants apart. They were checked when their transaction was accepted. */
import { isIP } from 'node:net';
import type { ParticipantAddress } from '../../ports/participant-address.ts';
import { addressKind, type CheckAddress, refuseForbidden } from './network-address.ts';

const grpcForm = /^(?:(grpcs?):\/\/)?((?:\[[\da-f:.]+\]|[^/:]+):(\d+))(\/.+)$/i;
const httpScheme = /^https?:/i;

/** Takes an address apart; never throws. @param check judges an address that is given as an IP address, in any spelling */
export function parseAddress(text: string, check: CheckAddress = refuseForbidden): ParticipantAddress {
  const parts = httpScheme.test(text) ? httpParts(text) : (grpcParts(text) ?? otherParts(text));
  const { hostname } = parts;
  const isName = isIP(hostname) === 0;
  return { text, ...parts, kind: isName ? 'name' : addressKind(hostname), forbidden: isName ? null : check(hostname, hostname) };
}

/** Host and port of an address, for people and for grouping; empty when there are none. */
export function hostOf(text: string): string {
  return parseAddress(text).host;
}

type Parts = Omit<ParticipantAddress, 'text' | 'kind' | 'forbidden'>;

function httpParts(text: string): Parts {
  if (!URL.canParse(text)) return otherParts(text);
  const { protocol, origin, host, hostname, port, pathname, search } = new URL(text);
  return {
    by: 'http',
    secure: protocol === 'https:',
    origin,
    host,
    hostname: withoutBrackets(hostname),
    port: Number(port),
    path: `${pathname}${search}`,
  };
}

function grpcParts(text: string): Parts | null {
  const [, scheme = 'grpc', host, port, path] = grpcForm.exec(text) ?? [];
  if (host === undefined || port === undefined || path === undefined) return null;
  const secure = scheme.toLowerCase() === 'grpcs';
  const hostname = plainHostname(host) ?? withoutBrackets(host.slice(0, -port.length - 1));
  return { by: 'grpc', secure, origin: `${secure ? 'grpcs' : 'grpc'}://${host}`, host, hostname, port: Number(port), path };
}

/** The parts of a text that nobody can call. It may name a host all the same, which people see and which is judged. */
function otherParts(text: string): Parts {
  const url = URL.parse(text);
  const hostname = url === null || url.host === '' ? (plainHostname(text) ?? '') : withoutBrackets(url.hostname);
  return { by: 'none', secure: false, origin: '', host: url?.host ?? '', hostname, port: 0, path: '' };
}

/** The host of what follows the scheme of a URL, in its plain spelling: `2852039166` is `169.254.169.254`. */
function plainHostname(afterScheme: string): string | null {
  const url = URL.parse(`http://${afterScheme}`);
  return url === null ? null : withoutBrackets(url.hostname);
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
