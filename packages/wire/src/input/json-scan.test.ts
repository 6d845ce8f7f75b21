import { expect, test } from 'vitest';
import { scanJson } from './json-scan.ts';

test.each([
  ['{}', 0],
  ['{"a":1,"b":{"c:d":[":","\\":",{"e":null}]}}', 4],
  ['{"a" : 1, "a":2}', 2],
  ['{"\\\\":":"}', 1],
])('%s has so many keys: %i', (text, keys) => {
  expect(scanJson(text).keys).toBe(keys);
});

test.each([
  ['{"a":1234567890123456}', true],
  ['[12345678.12345678]', true],
  ['[-1.5E3]', true],
  ['[1e5]', true],
  ['{"a":123456789012345,"b":0.5}', false],
  ['{"a":"12345678901234567890","b":"1e5","c":"\\"1234567890123456"}', false],
  ['[1234567890,123456,true,false,null]', false],
])('%s has a number that a double may not hold: %s', (text, hasLongNumber) => {
  expect(scanJson(text).hasLongNumber).toBe(hasLongNumber);
});

test('what is cut within a string ends', () => {
  expect(scanJson('{"a":"b\\')).toEqual({ keys: 1, hasLongNumber: false });
});
