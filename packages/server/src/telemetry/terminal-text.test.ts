import { expect, test } from 'vitest';
import { forTerminal, terminalLines, terminalText } from './terminal-text.ts';

test.each([
  ['a plain text: “größer”, 日本, 🙂', 'a plain text: “größer”, 日本, 🙂'],
  ['x\nFAKE LINE\r\ty', 'x\\nFAKE LINE\\r\\ty'],
  ['\u001b[2J\u009b31m\u007f', '\\u001b[2J\\u009b31m\\u007f'],
  ['left\u202eright', 'left\\u202eright'],
  ['\u2028\u2029', '\\u2028\\u2029'],
  ['\u{e0041}', '\\udb40\\udc41'],
  ['\ud800', '\\ud800'],
])('%j is one line that nothing obeys', (text, told) => {
  expect(terminalText(text)).toBe(told);
});

test('lines stay lines where they may', () => {
  expect(terminalLines('a\n\u001bb')).toBe('a\n\\u001bb');
});

test('data keeps its shape', () => {
  const value = { gid: 'a\nb', count: 1, none: null, steps: [{ url: '\u001b' }, 'x'], missing: undefined };
  expect(forTerminal(value)).toEqual({
    gid: 'a\\nb',
    count: 1,
    none: null,
    steps: [{ url: '\\u001b' }, 'x'],
    missing: undefined,
  });
});
