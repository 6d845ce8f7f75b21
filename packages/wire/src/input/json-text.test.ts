import { describe, expect, it } from 'vitest';
import { parseJsonBody } from './json-text.ts';

const parse = (text: string) => parseJsonBody(Buffer.from(text));

describe('a JSON body', () => {
  it('is parsed', () => {
    expect(parse('{"a":[1,"x",null,true]}')).toEqual({ a: [1, 'x', null, true] });
  });

  it('keeps the digits of numbers that a double cannot hold', () => {
    const text = '{"id":12345678901234567890,"small":7,"sum":0.1234567890123456789,"price":12345678.1234567891}';
    expect(JSON.stringify(parse(text))).toBe(text);
  });

  it('may have more long numbers than keys', () => {
    const text = `[${new Array(10_001).fill('12345678901234567890').join()}]`;
    expect(JSON.stringify(parse(text))).toBe(text);
  });

  it('keeps numbers that a double holds as numbers', () => {
    expect(parse('{"a":1e3,"b":1000000000000000,"c":0.5e-3}')).toEqual({ a: 1000, b: 1e15, c: 0.0005 });
  });

  it.each([
    ['nonsense', 'hello', /^body: is not JSON: expected a value at position 0$/],
    ['a cut text', '{"a":', /expected a value at position 5, but the text ends there/],
    ['a missing colon', '{"a" 1}', /expected : after the key at position 5/],
    ['a trailing comma', '{"a":1,}', /expected a key at position 7/],
    ['something after the end', '{} x', /expected the end of the text at position 3/],
    ['a missing comma', '[1 2]', /expected , or the end at position 3/],
    ['an open string', '["abc', /expected a value or \] at position 1/],
    ['nothing', '', /^body: is empty/],
    ['the key __proto__', '{"a":{"__proto__":{}}}', /has the key __proto__/],
    ['the key __proto__ in disguise', '{"\\u005f_proto__":1}', /has the key __proto__/],
    ['the key constructor', '[{"constructor":1}]', /has the key constructor/],
    ['deep nesting', '['.repeat(65) + ']'.repeat(65), /nested deeper than 64 levels/],
    [
      'very deep nesting around a long number',
      `${'['.repeat(20_000)}12345678901234567890${']'.repeat(20_000)}`,
      /nested deeper than 64 levels/,
    ],
    ['very deep nesting', '['.repeat(500_000) + ']'.repeat(500_000), /nested deeper than 64 levels/],
    [
      'a key that is there twice',
      '{"gid":"a","gid":"b"}',
      /^body: has the key "gid" twice in one object with different values, again at position 11/,
    ],
    ['one in disguise', '{"gid":1,"\\u0067id":2}', /has the key "gid" twice .* position 9/],
    ['one deep inside', '{"a":[{"b":{"c":1, "d":[{}] , "c" : 2}}]}', /has the key "c" twice .* position 30/],
    ['one among long numbers', '{"id":12345678901234567890,"id":7}', /has the key "id" twice/],
    ['an empty one', '{"":1,"":2}', /has the key "" twice/],
    ['one that agrees at first', '{"a":{"b":1},"a":{"b":1},"a":{"b":2}}', /has the key "a" twice .* position 25/],
    ['the same key all over', `{${'"a":1,'.repeat(10_000)}"a":1}`, /more than 10000 keys/],
    ['too many keys', `{${Array.from({ length: 10_001 }, (_, i) => `"k${i}":1`).join(',')}}`, /more than 10000 keys/],
  ])('is refused for %s', (_what, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it.each([
    ["DTM's client for Java writes", '{"gid":"g","subType":"saga","subType":"saga"}', { gid: 'g', subType: 'saga' }],
    ['is itself an object', '{"a":[{"b":[1,{}],"b":[1,{}]}],"c":1}', { a: [{ b: [1, {}] }], c: 1 }],
    ['is null', '{"a":null , "a":null}', { a: null }],
  ])('may say the same twice, as what %s', (_what, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('is refused when it is not UTF-8', () => {
    expect(() => parseJsonBody(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/not valid UTF-8/);
  });

  it('may have equal keys in different objects, and colons and quotes in its texts', () => {
    const text = '{"a":{"a":"a\\":\\\\"},"b":[{"a":":"},{"a":"\\\\\\":"}],"ü\\\\":{}}';
    expect(JSON.stringify(parse(text))).toBe(text);
  });

  it('may speak of constructors in its values', () => {
    expect(parse('{"a":"__proto__ constructor"}')).toEqual({ a: '__proto__ constructor' });
  });
});
