import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { runningServer } from '../testing/running-server.ts';
import { hostGuard } from './host-guard.ts';

/** Asks with a header Host of one's own, as a browser does whose DNS was told another address. */
function ask(url: string, host: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers: { host } }, async (response) =>
      resolve({ status: response.statusCode!, body: await text(response) }),
    );
    asking.on('error', reject).end();
  });
}

describe('while it listens on loopback', () => {
  it.each(['/', '/healthz', '/readyz', '/metrics', '/api/metrics', '/api/v1/transactions', '/api/v1/health', '/nothing'])(
    'a request for %s that was meant for another host is refused',
    async (path) => {
      const amends = await runningServer();
      const { port } = new URL(amends.url);
      const { status, body } = await ask(amends.url + path, `evil.example.com:${port}`);
      expect(status).toBe(403);
      expect(body).toContain('call it as localhost, or by a loopback address');
    },
  );

  it('the DTM routes say so in their own form', async () => {
    const amends = await runningServer();
    const { status, body } = await ask(`${amends.url}/api/dtmsvr/newGid`, 'evil.example.com');
    expect(status).toBe(403);
    expect(JSON.parse(body)).toEqual({ message: expect.stringContaining('the header Host names "evil.example.com"') });
  });

  it.each(['localhost', 'LOCALHOST:36789', '127.0.0.1', '127.9.9.9:1', '[::1]:36789', '[::ffff:127.0.0.1]'])(
    'a request to %s is answered',
    async (host) => {
      const amends = await runningServer();
      expect((await ask(`${amends.url}/healthz`, host)).status).toBe(200);
    },
  );
});

describe('the guard', () => {
  it.each([
    '',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.0.1',
    '0.0.0.0',
    'a b',
    'x@127.0.0.1.evil',
    'metadata',
  ])('refuses %j on loopback', (header) => expect(hostGuard('127.0.0.1')(header)).not.toBeNull());

  it('lets everything through where others can reach the server: its names are not known to it', () => {
    expect(hostGuard('0.0.0.0')('amends.example.com')).toBeNull();
  });
});
