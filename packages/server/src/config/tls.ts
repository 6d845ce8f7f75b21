/** Certificates and keys: read from the files that the options name, and checked before anything listens. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ParticipantTls } from '@amends/coordinator';
import { ConfigError } from './config-error.ts';
import type { ConfigValues } from './schema.ts';

/** How the listeners show themselves; all as PEM text. */
export interface ListenerTls {
  readonly cert: string;
  readonly key: string;
  /** Authorities whose certificates clients must show; null: they need none. */
  readonly clientCa: string | null;
}

/** What the options name. */
export interface TlsFiles {
  /** null: the listeners do without TLS. */
  readonly listener: ListenerTls | null;
  readonly participants: ParticipantTls;
}

/** Where an option was set, for errors. */
type SourceOf = (option: string) => string;

/**
 * Reads the files.
 * @throws ConfigError naming the option and the path when one cannot be read, is not what it should be, or lacks its pair
 */
export function readTls({ tls, participants }: Pick<ConfigValues, 'tls' | 'participants'>, sourceOf: SourceOf): TlsFiles {
  const own = readPair('tls', tls, sourceOf);
  const clientCa = certificates('tls.clientCa', tls.clientCa, sourceOf);
  if (clientCa !== null && own === null)
    throw lacksPair('tls.clientCa', tls.clientCa, 'together with tls.cert and tls.key', sourceOf);
  const ca = certificates('participants.tls.ca', participants.tls.ca, sourceOf);
  const shown = readPair('participants.tls', participants.tls, sourceOf);
  return { listener: own === null ? null : { ...own, clientCa }, participants: { ...(ca === null ? {} : { ca }), ...shown } };
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate with its key; null: neither is set. */
function readPair(group: string, paths: Pair, sourceOf: SourceOf): Pair | null {
  const cert = certificates(`${group}.cert`, paths.cert, sourceOf);
  const key = privateKey(`${group}.key`, paths.key, sourceOf);
  if (cert === null && key === null) return null;
  if (key === null) throw lacksPair(`${group}.cert`, paths.cert, `together with ${group}.key`, sourceOf);
  if (cert === null) throw lacksPair(`${group}.key`, paths.key, `together with ${group}.cert`, sourceOf);
  if (!new X509Certificate(cert).checkPrivateKey(key.object))
    throw new ConfigError(`${group}.key`, paths.key, `the key of the certificate in ${paths.cert}`, sourceOf(`${group}.key`));
  return { cert, key: key.text };
}

function lacksPair(option: string, path: string, how: string, sourceOf: SourceOf): ConfigError {
  return new ConfigError(option, path, `to be given ${how}`, sourceOf(option));
}

const beginOfCertificate = '-----BEGIN CERTIFICATE-----';

/** Certificates, one after the other; null: none. */
function certificates(option: string, path: string, sourceOf: SourceOf): string | null {
  return fromFile({ option, path, what: 'certificates', source: sourceOf(option) }, (text) => {
    for (const one of text.split(beginOfCertificate).slice(1)) new X509Certificate(beginOfCertificate + one);
    if (!text.includes(beginOfCertificate)) throw new Error(`it has no line ${beginOfCertificate}`);
    return text;
  });
}

function privateKey(
  option: string,
  path: string,
  sourceOf: SourceOf,
): { readonly text: string; readonly object: KeyObject } | null {
  return fromFile({ option, path, what: 'a private key without a passphrase', source: sourceOf(option) }, (text) => ({
    text,
    object: createPrivateKey(text),
  }));
}

interface Named {
  readonly option: string;
  /** Empty: the option is not set. */
  readonly path: string;
  readonly what: string;
  readonly source: string;
}

function fromFile<T>({ option, path, what, source }: Named, read: (text: string) => T): T | null {
  if (path === '') return null;
  try {
    return read(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(option, path, `a readable PEM file with ${what}; ${(error as Error).message}`, source);
  }
}
