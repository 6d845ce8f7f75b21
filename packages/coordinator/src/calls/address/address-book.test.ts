import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressBook } from './address-book.ts';
import { refuseForbidden } from './network-address.ts';
import { parseAddress } from './parse-address.ts';

test('an address is taken apart once', () => {
  const book = new AddressBook(refuseForbidden);
  expect(book.of('http://bank/debit')).toBe(book.of('http://bank/debit'));
  expect(book.of('http://bank/debit')).toEqual(parseAddress('http://bank/debit'));
});

test('ten thousand gids in the query take the room of one address', () => {
  const book = new AddressBook(refuseForbidden);
  for (let i = 0; i < 10_000; i++) expect(book.of(`http://bank/debit?gid=g${i}`).path).toBe(`/debit?gid=g${i}`);
  expect(book.size).toBe(1);
});

test('what is asked for all the time is kept while others come and go; the others are forgotten', () => {
  const book = new AddressBook(refuseForbidden, 100_000);
  const usual = book.of('http://bank/debit');
  for (let i = 0; i < 10_000; i++) {
    book.of(`http://bank/order/${i}`);
    expect(book.of('http://bank/debit')).toBe(usual);
  }
  expect(book.size).toBeLessThan(100_000 / 400);
  const early = book.of('http://bank/order/0');
  expect(early).toEqual(parseAddress('http://bank/order/0'));
});

test('long addresses count as what they take', () => {
  const book = new AddressBook(refuseForbidden, 100_000);
  for (let i = 0; i < 1_000; i++) book.of(`http://bank/${'x'.repeat(2_000)}${i}`);
  expect(book.size).toBeLessThan(100_000 / 8_000);
});

const plain = fc.constantFrom('http://bank', 'https://10.0.0.1:8443/a', 'bank:1/b.B/D', 'http://[::1]/a/../b', 'nonsense');
const odd = fc.string({
  unit: fc.constantFrom('?', '#', '&', '=', ' ', '\t', '\n', "'", '"', '<', '\\', '/', '.', '%', 'é', 'x', '@'),
  maxLength: 6,
});

test('an address says the same whether it is remembered or not, whatever it consists of', () => {
  const book = new AddressBook(refuseForbidden);
  const text = fc.oneof(
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.tuple(plain, odd).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (address) => {
      expect(book.of(address)).toEqual(parseAddress(address));
    }),
    { numRuns: 5_000 },
  );
});
