import { expect, test } from 'vitest';
import { hostOf, parseAddress } from './parse-address.ts';

test('a URL says where to connect and what to ask for there', () => {
  expect(parseAddress('HTTPS://Bank.example:443/a%20b?x=1')).toEqual({
    text: 'HTTPS://Bank.example:443/a%20b?x=1',
    by: 'http',
    secure: true,
    origin: 'https://bank.example',
    host: 'bank.example',
    hostname: 'bank.example',
    port: 0,
    path: '/a%20b?x=1',
    kind: 'name',
    forbidden: null,
  });
});

test('a gRPC method says where to connect and which method it is', () => {
  expect(parseAddress('[::1]:36790/bank.Bank/Debit')).toEqual({
    text: '[::1]:36790/bank.Bank/Debit',
    by: 'grpc',
    secure: false,
    origin: 'grpc://[::1]:36790',
    host: '[::1]:36790',
    hostname: '::1',
    port: 36_790,
    path: '/bank.Bank/Debit',
    kind: 'loopback',
    forbidden: null,
  });
});

test.each([
  ['grpc://bank:1/b.B/D', { origin: 'grpc://bank:1', secure: false }],
  ['GRPCS://bank:1/b.B/D', { origin: 'grpcs://bank:1', secure: true }],
])('%s: the scheme says whether the connection is encrypted, and each way has connections of its own', (text, expected) =>
  expect(parseAddress(text)).toMatchObject({ by: 'grpc', ...expected }),
);

test.each([
  ['http://2852039166/', '169.254.169.254'],
  ['http://[::ffff:a9fe:a9fe]/x', '::ffff:a9fe:a9fe'],
  ['2852039166:80/bank.Bank/Debit', '169.254.169.254'],
  ['0xa9fea9fe/bank.Bank/Debit', '169.254.169.254'],
])('an IP address is judged in any spelling: %s', (text, hostname) =>
  expect(parseAddress(text)).toMatchObject({ hostname, kind: 'forbidden', forbidden: expect.stringMatching(/never called$/) }),
);

test('whoever brings rules of their own is asked about IP addresses only', () => {
  const refuseAll = (address: string, hostname: string) => `${address} ${hostname} is refused`;
  expect(parseAddress('http://8.8.8.8/', refuseAll).forbidden).toBe('8.8.8.8 8.8.8.8 is refused');
  expect(parseAddress('http://bank/', refuseAll).forbidden).toBeNull();
});

test.each(['', 'nonsense', 'dns:///bank:1/x', 'http://', 'http://a b/', '/a', '::1'])(
  'what is no address can be called by nothing: %j',
  (text) => expect(parseAddress(text)).toMatchObject({ text, by: 'none', origin: '', path: '' }),
);

test.each([
  ['http://bank:80/a?x=1', 'bank'],
  ['http://bank:8080/a', 'bank:8080'],
  ['bank:1/b.B/D', 'bank:1'],
  ['ftp://bank/a', 'bank'],
  ['', ''],
  ['nonsense', ''],
])('the host of %j is %j', (text, host) => expect(hostOf(text)).toBe(host));
