import { expect, test } from 'vitest';
import { headerIn } from './raw-headers.ts';

const raw = ['Content-Type', 'text/plain', 'X-A', 'first', 'X-B', '', 'x-a', 'second'].map((text) => Buffer.from(text));

test.each([
  ['content-type', 'text/plain'],
  ['x-a', 'first, second'],
  ['x-b', ''],
  ['x-c', null],
  ['content-typo', null],
])('the value of %s is %j', (name, value) => expect(headerIn(raw, name)).toBe(value));
