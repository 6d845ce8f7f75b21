import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { epochMs, gidRandomBytes, makeGid, parseGid } from '../index.ts';

const now = epochMs(Date.UTC(2026, 10, 24));
const random = () => randomBytes(gidRandomBytes);

test('a gid is 22 characters of letters and digits that parse accepts', () => {
  const gid = makeGid(now, random);
  expect(gid).toMatch(/^[0-9A-Za-z]{22}$/);
  expect(parseGid(gid)).toBe(gid);
});

test('gids of later seconds sort after those of earlier ones', () => {
  const gids = Array.from({ length: 200 }, (_, second) => makeGid(epochMs(now + second * 1_000), random));
  expect([...gids].sort()).toEqual(gids);
});

test('gids of one moment differ in their 17 random characters only', () => {
  const gids = new Set(Array.from({ length: 10_000 }, () => makeGid(now, random)));
  expect(gids.size).toBe(10_000);
  expect(new Set([...gids].map((gid) => gid.slice(0, 5))).size).toBe(1);
});

test('asks for more random bytes when too many are thrown away', () => {
  let asked = 0;
  const poor = () => {
    asked += 1;
    return new Uint8Array(asked === 1 ? gidRandomBytes : 17).fill(asked === 1 ? 63 : 1);
  };
  expect(makeGid(now, poor).slice(5)).toBe('1'.repeat(17));
});

test.each([
  ['', /must not be empty/],
  ['x'.repeat(129), /has 129 characters/],
  ['a\nb', /control characters/],
  ['a\ud800', /broken surrogates/],
  ['order-7 ', /^gid: is "order-7 ", must not begin or end with white space$/],
  ['\u00a0a', /white space/],
  [' ', /white space/],
])('parse refuses %j', (text, complaint) => {
  expect(() => parseGid(text)).toThrow(complaint);
});

test.each(["o'brien", '"quoted"', '订单-1', 'a;b', '../x'])('parse accepts %j', (text) => {
  expect(parseGid(text)).toBe(text);
});
