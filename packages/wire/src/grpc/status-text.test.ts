import { expect, test } from 'vitest';
import { statusText } from './status-text.ts';

test.each(['', 'no money', '100 % 不够', 'a\nb', 'x'.repeat(4_096), '不'.repeat(455)])(
  'a text that is short stays as it is: %.20s',
  (text) => {
    expect(statusText(text)).toBe(text);
  },
);

test.each([
  ['x', 4_087],
  ['%', 1_362],
  ['不', 454],
  ['😀', 340],
])('a long one is cut by the bytes that travel, between characters: %s', (character, count) => {
  const text = statusText(character.repeat(100_000));
  expect(text).toBe(`${character.repeat(count)}…`);
  expect(encodeURI(text).length).toBeLessThanOrEqual(4_096);
});

test('half a character is replaced, for it cannot be encoded', () => {
  expect(statusText('a\ud83d')).toBe('a\ufffd');
  expect(encodeURI(statusText(`${'x'.repeat(4_095)}😀`)).length).toBeLessThanOrEqual(4_096);
});

test('a verdict at the end of a long one stays there, where clients look for it', () => {
  expect(statusText(`${'不'.repeat(1_000)} FAILURE`)).toMatch(/^不{453}… FAILURE$/);
  expect(statusText(`${'不'.repeat(1_000)} ONGOING`)).toMatch(/^不{453}… ONGOING$/);
});
