import { describe, expect, it } from 'vitest';
import { sameContent } from './same-content.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('two contents', () => {
  it.each([
    ['{"a":1,"b":{"c":[1,{"d":2,"e":3}]}}', '{"b":{"c":[1,{"e":3,"d":2}]},"a":1}'],
    ['{"a": 1,\n "b": 2}', '{"b":2,"a":1}'],
    ['{"name":"\\u00e9 50 %"}', '{"name":"é 50 %"}'],
    ['{"cents":12345678901234567890,"a":1}', '{"a":1,"cents":12345678901234567890}'],
    ['{"a":1.0,"b":1e2}', '{"b":100,"a":1}'],
    ['no JSON', 'no JSON'],
    ['', ''],
  ])('are the same: %j and %j', (one, other) => {
    expect(sameContent(bytes(one), bytes(other))).toBe(true);
  });

  it.each([
    ['[1,2]', '[2,1]'],
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":1}', '{"a":1,"b":null}'],
    ['{"cents":12345678901234567890}', '{"cents":12345678901234567891}'],
    ['{"a":0.1}', '{"a":0.10000000000000001}'],
    ['{"a":1}', ''],
    ['no JSON', 'no  JSON'],
    ['null', ''],
    ['{"__proto__":1}', '{}'],
  ])('are not: %j and %j', (one, other) => {
    expect(sameContent(bytes(one), bytes(other))).toBe(false);
  });

  it('are compared byte for byte where they are no JSON', () => {
    expect(sameContent(Uint8Array.of(0xff, 1), Uint8Array.of(0xff, 1))).toBe(true);
    expect(sameContent(Uint8Array.of(0xff, 1), Uint8Array.of(0xff, 2))).toBe(false);
    const deep = (inside: string) => bytes('['.repeat(100_000) + inside + ']'.repeat(100_000));
    expect(sameContent(deep(''), deep(' '))).toBe(false);
  });

  it('are found the same quickly, however long they are', () => {
    const text = (keys: readonly string[]) =>
      bytes(JSON.stringify(Object.fromEntries(keys.map((key) => [key, 'é'.repeat(250)]))));
    const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}`);
    expect(sameContent(text(keys), text(keys.toReversed()))).toBe(true);
  });
});
