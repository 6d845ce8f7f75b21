import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { checkedLookup, forbiddenCode, type Resolve } from './checked-lookup.ts';
import { refuseForbidden } from './network-address.ts';

const addresses = (...texts: readonly string[]): LookupAddress[] =>
  texts.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

type Found = { readonly error: NodeJS.ErrnoException | null; readonly address: string | LookupAddress[] };

function lookup(resolved: LookupAddress[], all: boolean): Promise<Found> {
  const resolve: Resolve = (_hostname, _options, done) => done(null, resolved);
  return new Promise((done) =>
    checkedLookup(refuseForbidden, resolve)('bank', { all }, (error, address) => done({ error, address })),
  );
}

test('of several addresses the forbidden ones are left out', async () => {
  const mixed = addresses('fe80::1', '10.0.0.1', '169.254.169.254', '2001:db8::1');
  expect(await lookup(mixed, true)).toEqual({ error: null, address: addresses('10.0.0.1', '2001:db8::1') });
  expect(await lookup(mixed, false)).toEqual({ error: null, address: '10.0.0.1' });
});

test('a name that has only forbidden addresses is refused, with the reason', async () => {
  const { error } = await lookup(addresses('169.254.169.254', 'fe80::1'), true);
  expect(error).toMatchObject({
    code: forbiddenCode,
    message: expect.stringMatching(/^bank \(169\.254\.169\.254\) is link-local/),
  });
});
