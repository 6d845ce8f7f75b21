import { sampleHistory } from '@amends/store/contract';
import { expect, test } from 'vitest';
import { decodeHistory, encodeHistory } from './history-code.ts';

const bare = { branchId: null, op: null, attempt: null, outcome: null, code: null, durationMs: null, detail: null, actor: null };

test('entries are read as they were written, whatever they leave out', () => {
  const entries = [sampleHistory(1, { ...bare, traceId: null }), sampleHistory(2, bare), sampleHistory(3, { actor: 'ada' })];
  expect(decodeHistory(encodeHistory(entries))).toEqual(entries);
});

test('format 1 is read as it was frozen', () => {
  const stored =
    '[1,[4,9,"answered","submitted","01","action",1,"success","http_200",12.0,null,null,null],[5,9,"held","submitted"]]';
  expect(decodeHistory(stored)).toEqual([
    {
      ...bare,
      seq: 4,
      at: 9,
      kind: 'answered',
      status: 'submitted',
      branchId: '01',
      op: 'action',
      attempt: 1,
      outcome: 'success',
      code: 'http_200',
      durationMs: 12,
      traceId: null,
    },
    { ...bare, seq: 5, at: 9, kind: 'held', status: 'submitted', traceId: null },
  ]);
});

test.each([
  ['?', /damaged/],
  ['{}', /damaged/],
  ['[1,2]', /damaged: an entry is not a list/],
  ['[2,[1]]', /is of format 2, this version of Amends knows format 1/],
])('%s is refused, with what is wrong', (stored, words) => {
  expect(() => decodeHistory(stored)).toThrow(words);
});
