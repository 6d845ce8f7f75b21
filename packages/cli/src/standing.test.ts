import type { Transaction } from '@amends/client';
import { expect, test } from 'vitest';
import { retryLines } from './act-lines.ts';
import { outcomeLine } from './standing.ts';

const held = (hold: Transaction['hold']) =>
  ({ outcome: 'running', decision: null, hold, branches: [] }) as unknown as Transaction;

test('a hold is told with the call that it is for, and without one when it blames none', () => {
  const stuck = held({ code: 'attempts-exhausted', branchId: '01', op: 'action' });
  expect(outcomeLine(stuck)).toBe('needs attention: attempts-exhausted at action of branch 01');
  const unreadable = held({ code: 'unreadable' });
  expect(outcomeLine(unreadable)).toBe('needs attention: unreadable');
  expect(retryLines(unreadable, held(null))).toEqual(['no longer on hold (unreadable)']);
});
