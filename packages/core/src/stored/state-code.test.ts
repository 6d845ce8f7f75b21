import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fromRow, stateFormat, type TransactionRow, toRow } from './row.ts';

const { rows } = JSON.parse(readFileSync(new URL('../../fixtures/format-4.json', import.meta.url), 'utf8')) as {
  rows: TransactionRow[];
};
const row = { ...rows[0]!, format: stateFormat };

test.each([
  ['', /JSON/],
  ['{}', /not what any version/],
  ['null', /not what any version/],
  ['[1,0,0,0]', /not what any version/],
  ['[1,0,0,0,0,0]', /not what any version/],
  ['["1",0,0,0,[],0]', /not what any version/],
  ['[-1,0,0,0,[],0]', /not what any version/],
  ['[1,null,0,0,[],0]', /not what any version/],
  ['[1,0,0,0,[]]', /not what any version/],
  ['[1,0,0,0,[],-1]', /not what any version/],
  ['[1,0,[3,1,"amends"],0,[],0]', /not what any version/],
  ['[1,0,[0,1],0,[],0]', /not what any version/],
  ['[1,0,0,["01",8],[],0]', /not what any version/],
  ['[1,0,0,["01",0,9],[],0]', /not what any version/],
  ['[1,0,0,0,[1],0]', /not what any version/],
  ['[1,0,0,0,[[0]],0]', /not what any version/],
  ['[1,0,0,0,[[[1,1],0]],0]', /not what any version/],
  ['[1,0,0,0,[[[3,1,0,0],0]],0]', /not what any version/],
  ['[1,0,0,0,[[[5,1,0],0]],0]', /not what any version/],
  ['[1,0,0,0,[[[6,1,0],0]],0]', /not what any version/],
  ['[1,0,0,0,[[[1,"1",0],0]],0]', /not what any version/],
])('a state that no version has written is refused: %s', (state, message) => {
  expect(() => fromRow({ ...row, state })).toThrow(message);
});

test.each([0, 1])('format %i is looked at in its own shape', (format) => {
  expect(() => fromRow({ ...row, format, state: '[1]' })).toThrow(format === 1 ? /not what any version/ : /format 0/);
});

test('a row that was marked as unreadable is on hold for that once it can be read, until it is written again without', () => {
  const marked = fromRow({ ...row, hold: 'unreadable' });
  expect(marked.hold).toEqual({ code: 'unreadable' });
  expect(toRow(marked, row).hold).toBe('unreadable');
  expect(toRow({ ...marked, hold: null }, row).hold).toBeNull();
});

test('in format 2 what cannot be read named a branch, and what is given up was waiting, due at 0', () => {
  const before = { ...row, format: 2, state: '[1,0,0,["01",0,4],[[[4,1,0,1,0],0]]]' };
  const { hold, branches } = fromRow(before);
  expect(hold).toEqual({ code: 'unreadable' });
  expect(branches[0]!.forward).toEqual({ at: 'given-up', attempts: 1, settledAt: 0, unknowns: 1 });
});
