import { expect, test } from 'vitest';
import { makeTraceparent, parseTrace } from '../index.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';

test.each([
  ['sampled', `00-${traceId}-${parentId}-01`, '01'],
  ['not sampled', `00-${traceId}-${parentId}-00`, '00'],
  ['with flags that are not defined', `00-${traceId}-${parentId}-fe`, '02'],
  ['of a later version, which may say more', `01-${traceId}-${parentId}-01-more`, '01'],
])('a traceparent %s is understood', (_, text, flags) => {
  expect(parseTrace(text)).toEqual({ traceId, flags });
});

test.each([
  ['missing', null],
  ['empty', ''],
  ['of version ff', `ff-${traceId}-${parentId}-01`],
  ['of version 00 that says more', `00-${traceId}-${parentId}-01-more`],
  ['with a trace id of zeros', `00-${'0'.repeat(32)}-${parentId}-01`],
  ['with a parent id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['in capitals', `00-${traceId.toUpperCase()}-${parentId}-01`],
  ['too short', `00-${traceId.slice(1)}-${parentId}-01`],
  ['sent twice', `00-${traceId}-${parentId}-01, 00-${traceId}-${parentId}-01`],
  ['of a later version, followed by something else', `01-${traceId}-${parentId}-01more`],
])('a traceparent that is %s is ignored', (_, text) => {
  expect(parseTrace(text)).toBeNull();
});

test('a call is told the trace, and a span of its own', () => {
  const spanId = Uint8Array.from([0, 240, 103, 170, 11, 169, 2, 183]);
  expect(makeTraceparent({ traceId, flags: '01' }, spanId)).toBe(`00-${traceId}-${parentId}-01`);
});
