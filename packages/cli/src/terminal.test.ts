import { expect, onTestFinished, test } from 'vitest';
import { cut, fitLine } from './terminal.ts';

function onTerminal(isTTY: boolean, columns = 80): void {
  const before = { isTTY: process.stdout.isTTY, columns: process.stdout.columns };
  Object.assign(process.stdout, { isTTY, columns });
  onTestFinished(() => void Object.assign(process.stdout, before));
}

test('a very long identity is cut on a terminal', () => {
  onTerminal(true);
  expect(cut('g'.repeat(128))).toBe(`${'g'.repeat(47)}…`);
  expect(cut('g'.repeat(48))).toBe('g'.repeat(48));
});

test('elsewhere it is whole', () => {
  onTerminal(false);
  expect(cut('g'.repeat(128))).toBe('g'.repeat(128));
});

test.each([
  ['1234567890', '1234567890'],
  ['12345678901', '123456789…'],
  ['\u001b[31m12345678901\u001b[39m', '\u001b[31m123456789…\u001b[39m'],
  ['\u001b[31m123\u001b[39m 7890', '\u001b[31m123\u001b[39m 7890'],
  ['分布式事务', '分布式事务'],
  ['分布式事务管', '分布式事…'],
])('%j is at most as wide as the terminal', (line, shown) => {
  onTerminal(true, 10);
  expect(fitLine(line)).toBe(shown);
});

test('a line that no terminal shows is whole', () => {
  onTerminal(false, 10);
  expect(fitLine('x'.repeat(300))).toBe('x'.repeat(300));
});
