import { once } from 'node:events';
import { createServer, request as secureRequest } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { credentials, ServerCredentials, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Authority, authority, type Certificate } from '../testing/certificates.ts';
import { grpcClient, grpcParticipant } from '../testing/grpc-peer.ts';
import { runningServer } from '../testing/running-server.ts';
import { scratchFile } from '../testing/scratch.ts';
import { resolveConfig } from './index.ts';

/** The status of `GET /healthz`, or the code of the error. */
function health(
  url: string,
  tls: { readonly ca?: string; readonly cert?: string; readonly key?: string },
): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = secureRequest(`${url}/healthz`, { ...tls, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end();
  });
}

const grpcSecure = (ca: Certificate, own?: Certificate) =>
  credentials.createSsl(
    Buffer.from(ca.cert),
    own === undefined ? null : Buffer.from(own.key),
    own === undefined ? null : Buffer.from(own.cert),
  );

/** The client's library connects securely to names only. */
const byName = (address: string) => address.replace('127.0.0.1', 'localhost');

function tlsServer(ca: Authority, flags: Readonly<Record<string, string>> = {}) {
  const { certFile, keyFile } = ca.sign('amends');
  return runningServer({ 'tls.cert': certFile, 'tls.key': keyFile, ...flags });
}

describe('a server with a certificate', () => {
  test('serves HTTP over TLS only', async () => {
    const ca = authority();
    const amends = await tlsServer(ca);
    expect(amends.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await health(amends.url, { ca: ca.cert })).toBe(200);
    expect(await health(amends.url, {})).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await expect(fetch(`${amends.url.replace('https', 'http')}/healthz`)).rejects.toThrow();
  });

  test('serves gRPC over TLS only', async () => {
    const ca = authority();
    const amends = await tlsServer(ca);
    expect(await grpcClient(byName(amends.grpcAddress), grpcSecure(ca)).dtm('NewGid', {})).toMatchObject({ reply: {} });
    expect(await grpcClient(amends.grpcAddress).dtm('NewGid', {})).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('stops although a connection has not come to its handshake', async () => {
    const amends = await tlsServer(authority());
    const mute = connect(Number(amends.grpcAddress.split(':')[1]), '127.0.0.1').resume();
    mute.on('error', () => {});
    await once(mute, 'connect');
    await Promise.all([once(mute, 'close'), amends.stop()]);
  });
});

describe('a server with an authority for clients', () => {
  test('takes clients with a certificate of that authority, and no others', async () => {
    const ca = authority();
    const clients = authority('clients');
    const [known, stranger] = [clients.sign('client'), authority('others').sign('stranger')];
    const amends = await tlsServer(ca, { 'tls.clientCa': clients.certFile });
    const at = byName(amends.grpcAddress);

    expect(await health(amends.url, { ca: ca.cert, cert: known.cert, key: known.key })).toBe(200);
    expect(await health(amends.url, { ca: ca.cert })).toMatch(/^(ERR_SSL_|ECONNRESET|EPIPE)/);
    expect(await health(amends.url, { ca: ca.cert, cert: stranger.cert, key: stranger.key })).toMatch(
      /^(ERR_SSL_|ECONNRESET|EPIPE)/,
    );

    expect(await grpcClient(at, grpcSecure(ca, known)).dtm('NewGid', {})).toMatchObject({ reply: {} });
    expect(await grpcClient(at, grpcSecure(ca)).dtm('NewGid', {})).toMatchObject({ code: status.UNAVAILABLE });
    expect(await grpcClient(at, grpcSecure(ca, stranger)).dtm('NewGid', {})).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('may be reached by others than this machine', () => {
    const ca = authority();
    const { certFile, keyFile } = ca.sign('amends');
    const flags = { host: '0.0.0.0', 'tls.cert': certFile, 'tls.key': keyFile };
    expect(() => resolveConfig({ flags })).toThrow(/^option host .* Give --tls-client-ca/);
    expect(resolveConfig({ flags: { ...flags, 'tls.clientCa': ca.certFile } }).config.host).toBe('0.0.0.0');
  });
});

/** A participant over HTTPS that asks for certificates of this authority. @returns its URL, and who came */
async function secureParticipant(own: Certificate, clients: Certificate | null) {
  const subjects: unknown[] = [];
  const server = createServer(
    {
      cert: own.cert,
      key: own.key,
      ...(clients === null ? {} : { ca: clients.cert, requestCert: true, rejectUnauthorized: true }),
    },
    async (request, response) => {
      await text(request);
      const { subject } = (
        request.socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }
      ).getPeerCertificate();
      subjects.push(subject?.CN);
      response.end();
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, subjects };
}

const saga = (gid: string, action: string) => ({
  Gid: gid,
  TransType: 'saga',
  Steps: JSON.stringify([{ action }]),
  BinPayloads: [Buffer.from('{}')],
  TransOptions: { WaitResult: true },
});

async function firstCode(amends: Awaited<ReturnType<typeof runningServer>>, gid: string): Promise<string | undefined> {
  const entries = await amends.history(gid);
  const answered = entries.find(({ kind }) => kind === 'answered');
  return (answered as { code?: string } | undefined)?.code;
}

describe('participants over TLS', () => {
  test('are called when their certificate comes from the authority of the configuration', async () => {
    const ca = authority();
    const own = ca.sign('bank');
    const http = await secureParticipant(own, null);
    const secure = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(own.cert), private_key: Buffer.from(own.key) }]);
    const bank = await grpcParticipant(() => null, secure);
    const amends = await runningServer({ 'participants.tls.ca': ca.certFile });
    const grpc = grpcClient(amends.grpcAddress);
    expect(await grpc.dtm('Submit', saga('h', `${http.url}/in`))).toEqual({ reply: {} });
    expect(await grpc.dtm('Submit', saga('g', `grpcs://${bank.address}/busi.Busi/TransIn`))).toEqual({ reply: {} });
    expect(bank.received.length).toBe(1);
  });

  test('are not called when it does not: they have not seen the call', async () => {
    const own = authority().sign('bank');
    const http = await secureParticipant(own, null);
    const secure = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(own.cert), private_key: Buffer.from(own.key) }]);
    const bank = await grpcParticipant(() => null, secure);
    const amends = await runningServer();
    const grpc = grpcClient(amends.grpcAddress);
    for (const [gid, action] of [
      ['h', `${http.url}/in`],
      ['g', `grpcs://${bank.address}/busi.Busi/TransIn`],
    ] as const) {
      expect(await grpc.dtm('Submit', saga(gid, action))).toMatchObject({ code: status.FAILED_PRECONDITION });
      expect(await firstCode(amends, gid)).toBe('tls_failed');
    }
    expect(http.subjects).toEqual([]);
    expect(bank.received).toEqual([]);
  });

  test('that ask for a certificate are shown the one of the configuration', async () => {
    const [ca, clients] = [authority(), authority('clients')];
    const [own, shown] = [ca.sign('bank'), clients.sign('coordinator')];
    const http = await secureParticipant(own, clients);
    const pair = { cert_chain: Buffer.from(own.cert), private_key: Buffer.from(own.key) };
    const bank = await grpcParticipant(() => null, ServerCredentials.createSsl(Buffer.from(clients.cert), [pair], true));
    const amends = await runningServer({
      'participants.tls.ca': ca.certFile,
      'participants.tls.cert': shown.certFile,
      'participants.tls.key': shown.keyFile,
    });
    const grpc = grpcClient(amends.grpcAddress);
    expect(await grpc.dtm('Submit', saga('h', `${http.url}/in`))).toEqual({ reply: {} });
    expect(http.subjects).toEqual(['coordinator']);
    expect(await grpc.dtm('Submit', saga('g', `grpcs://${bank.address}/busi.Busi/TransIn`))).toEqual({ reply: {} });
    expect(bank.received.length).toBe(1);
  });
});

describe('a configuration is refused, naming option and path,', () => {
  const refusal = (flags: Readonly<Record<string, string>>) => expect(() => resolveConfig({ flags }));

  test.each(['tls.cert', 'tls.key', 'tls.clientCa', 'participants.tls.ca', 'participants.tls.cert', 'participants.tls.key'])(
    'when the file of %s is not there, or is something else',
    (option) => {
      const flag = `--${option.replaceAll('.', '-').replace('clientCa', 'client-ca')}`;
      const start = `option ${option} (from ${flag}) is `;
      const expected = '; expected: a readable PEM file with ';
      refusal({ [option]: '/nowhere/x.pem' }).toThrow(`${start}"/nowhere/x.pem"${expected}`);
      refusal({ [option]: '/nowhere/x.pem' }).toThrow('ENOENT');
      const other = scratchFile('other.pem', 'hello');
      refusal({ [option]: other }).toThrow(`${start}"${other}"${expected}`);
      const broken = scratchFile('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
      refusal({ [option]: broken }).toThrow(`${start}"${broken}"${expected}`);
    },
  );

  test('when a certificate has no key, a key no certificate, or they are no pair', () => {
    const ca = authority();
    const { certFile, keyFile } = ca.sign('amends');
    refusal({ 'tls.cert': certFile }).toThrow(
      `option tls.cert (from --tls-cert) is "${certFile}"; expected: to be given together with tls.key`,
    );
    refusal({ 'participants.tls.key': keyFile }).toThrow(
      /^option participants\.tls\.key .* together with participants\.tls\.cert$/,
    );
    refusal({ 'tls.clientCa': certFile }).toThrow(/^option tls\.clientCa .* together with tls\.cert and tls\.key$/);
    refusal({ 'tls.cert': certFile, 'tls.key': ca.keyFile }).toThrow(
      `option tls.key (from --tls-key) is "${ca.keyFile}"; expected: the key of the certificate in ${certFile}`,
    );
  });
});
