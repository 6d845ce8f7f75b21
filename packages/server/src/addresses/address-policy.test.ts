import { type CheckAddress, httpTransport, type Transport } from '@amends/coordinator';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callTo } from '../testing/call-to.ts';
import { participant } from '../testing/participant.ts';
import { type AddressRules, addressPolicy } from './address-policy.ts';

const policy = (rules: Partial<AddressRules> = {}) => addressPolicy({ allow: [], deny: [], listensOnLoopback: false, ...rules });

/** A transport as the server has it, with this check. */
function transportWith(checkAddress: CheckAddress): Transport {
  const transport = httpTransport({ checkAddress });
  onTestFinished(() => transport.close());
  return transport;
}

/** What a call comes to under these rules. */
const outcomeOf = (url: string, rules: Partial<AddressRules> = {}) => transportWith(policy(rules)).call(callTo(url));

describe('the address policy', () => {
  it('never lets metadata and link-local addresses be called, whatever is allowed', () => {
    for (const rules of [{ listensOnLoopback: true }, { allow: ['169.254.0.0/16', 'metadata.internal'] }]) {
      const check = policy(rules);
      expect(check('169.254.169.254', '169.254.169.254')).toBe(
        '169.254.169.254 is link-local, metadata, multicast or reserved, which is never called',
      );
      expect(check('169.254.169.254', 'metadata.internal')).toMatch(/^metadata\.internal \(169\.254\.169\.254\) is link-local/);
      expect(check('::ffff:a9fe:a9fe', 'x')).not.toBeNull();
    }
  });

  it('lets public addresses be called, and private ones while the server listens on loopback only', () => {
    expect(policy()('8.8.8.8', 'dns.google')).toBeNull();
    expect(policy()('10.1.2.3', '10.1.2.3')).toBe(
      '10.1.2.3 is a private address; add it to participants.allow to have it called',
    );
    expect(policy()('::1', 'localhost')).toMatch(/^localhost \(::1\) is a loopback address/);
    expect(policy({ listensOnLoopback: true })('10.1.2.3', '10.1.2.3')).toBeNull();
    expect(policy({ listensOnLoopback: true })('127.0.0.1', 'localhost')).toBeNull();
  });

  it('goes by networks, names and their endings', () => {
    const check = policy({ allow: ['10.0.0.0/8', 'fd00::/8', '192.168.1.7', 'Bank.internal', '*.shops.internal'] });
    expect(check('10.9.9.9', 'x')).toBeNull();
    expect(check('::ffff:10.9.9.9', 'x')).toBeNull();
    expect(check('fd00::7', 'x')).toBeNull();
    expect(check('192.168.1.7', 'x')).toBeNull();
    expect(check('192.168.1.8', 'x')).not.toBeNull();
    expect(check('127.0.0.1', 'bank.INTERNAL')).toBeNull();
    expect(check('127.0.0.1', 'a.shops.internal')).toBeNull();
    expect(check('127.0.0.1', 'shops.internal')).not.toBeNull();
    expect(check('127.0.0.1', 'evilshops.internal')).not.toBeNull();
  });

  it('denies before it allows, also a name with a dot at its end', () => {
    const check = policy({ allow: ['*.example.com'], deny: ['evil.example.com', '203.0.113.0/24'], listensOnLoopback: true });
    expect(check('10.0.0.1', 'evil.example.com')).toBe('evil.example.com (10.0.0.1) is denied by participants.deny');
    expect(check('10.0.0.1', 'evil.example.com.')).toMatch(/denied/);
    expect(check('203.0.113.9', 'good.example.com')).toMatch(/denied/);
    expect(check('10.0.0.1', 'good.example.com')).toBeNull();
  });

  it('gives the same answer again, for any number of names', () => {
    const check = policy();
    for (let i = 0; i < 12_000; i++) expect(check('10.0.0.1', `h${i}`)).toMatch(new RegExp(`^h${i} `));
    expect(check('8.8.8.8', 'h1')).toBeNull();
    expect(check('10.0.0.1', 'h1')).toMatch(/^h1 /);
  });
});

describe('a call under the policy', () => {
  it.each([
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://localhost:PORT/',
  ])('is not fooled by another spelling of loopback: %s', async (spelling) => {
    const neighbour = await participant();
    const url = spelling.replace('PORT', new URL(neighbour.url).port);
    expect(await outcomeOf(url)).toMatchObject({ class: 'unknown', code: 'address_forbidden', exchange: 'forbidden' });
    expect(neighbour.calls).toEqual([]);
  });

  it('is not fooled by a name that resolves to a private address', async () => {
    const outcome = await outcomeOf('http://localhost:1/');
    expect(outcome.detail).toMatch(/^localhost \((127\.0\.0\.1|::1)\) is a loopback address/);
  });

  it('is judged by where its name leads at each new connection, not by where it led before', async () => {
    const neighbour = await participant({ '/a': (response) => response.setHeader('connection', 'close').end() });
    const checks = [policy({ listensOnLoopback: true }), policy()];
    const transport = transportWith((address, hostname) => checks[Math.min(neighbour.calls.length, 1)]!(address, hostname));
    const url = `http://localhost:${new URL(neighbour.url).port}/a`;
    expect(await transport.call(callTo(url))).toMatchObject({ class: 'success' });
    expect(await transport.call(callTo(url))).toMatchObject({ code: 'address_forbidden' });
    expect(neighbour.calls).toEqual(['action /a']);
  });

  it('reaches a private participant that is allowed', async () => {
    const neighbour = await participant();
    expect(await outcomeOf(neighbour.url, { allow: ['127.0.0.0/8'] })).toMatchObject({ class: 'success' });
  });

  it('never reaches a metadata address, whatever its spelling', async () => {
    for (const url of ['http://2852039166/', 'http://[::ffff:a9fe:a9fe]/', 'http://169.254.169.254/'])
      expect(await outcomeOf(url, { listensOnLoopback: true })).toMatchObject({ code: 'address_forbidden' });
  });
});
