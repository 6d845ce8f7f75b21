/** Certificates of one test run, made by openssl, so that none in the repository expires. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './scratch.ts';

/** A certificate and its key, as files and as text. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority and how to have it sign. */
export interface Authority extends Certificate {
  /** A certificate for localhost, 127.0.0.1, and clients. */
  sign(name: string): Certificate;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority whose files are gone with the test. */
export function authority(name = 'test authority'): Authority {
  const folder = scratchFolder();
  const file = (ending: string) => join(folder, ending);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { stdio: 'pipe' });
  const read = (certFile: string, keyFile: string): Certificate => ({
    certFile,
    keyFile,
    cert: readFileSync(certFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  });
  const [caCert, caKey] = [file('ca.pem'), file('ca.key')];
  openssl('req', '-x509', ...newKey, '-keyout', caKey, '-out', caCert, '-days', '2', '-subj', `/CN=${name}`);
  return {
    ...read(caCert, caKey),
    sign(subject) {
      const [request, cert, key, names] = [file(`${subject}.csr`), file(`${subject}.pem`), file(`${subject}.key`), file('names')];
      writeFileSync(names, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
      openssl('req', '-new', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${subject}`);
      const signed = ['-CA', caCert, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', names];
      openssl('x509', '-req', '-in', request, ...signed, '-out', cert);
      return read(cert, key);
    },
  };
}
