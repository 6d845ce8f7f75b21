import { expect, onTestFinished, test } from 'vitest';
import { cut } from './terminal.ts';

function onTerminal(isTTY: boolean): void {
  const before = process.stdout.isTTY;
  process.stdout.isTTY = isTTY;
  onTestFinished(() => {
    process.stdout.isTTY = before;
  });
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
