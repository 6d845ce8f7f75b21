import { describe, expect, it } from 'vitest';
import { isAddressPattern } from './address-patterns.ts';

describe('a pattern of addresses', () => {
  it.each([
    'api.example.com',
    '*.example.com',
    'localhost',
    'my_host',
    '10.0.0.0/8',
    '10.1.2.3',
    'fd00::/8',
    '::1',
    'API.Example.COM',
  ])('may be %s', (pattern) => {
    expect(isAddressPattern(pattern)).toBe(true);
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.0/', 'example.com/8', 'http://x', '*', '*.', 'a b', 'a:80', ''])(
    'cannot be %j',
    (pattern) => {
      expect(isAddressPattern(pattern)).toBe(false);
    },
  );
});
