import { expect, test } from 'vitest';
import { type CaseResult, closingLine, resultTable } from './case-result.ts';

const passed: CaseResult = { name: 'TestSagaNormal', outcome: 'passed', seconds: 0.126, output: '' };
const failed: CaseResult = { name: 'TestAll', outcome: 'failed', seconds: 12, output: 'got 1, want 2\n' };
const skipped: CaseResult = { name: 'go', outcome: 'skipped', seconds: 0, output: 'not installed' };

test('the closing line names skips only when there are some', () => {
  expect(closingLine([passed, failed])).toBe('1 passed, 1 failed');
  expect(closingLine([skipped])).toBe('0 passed, 0 failed, 1 skipped');
});

test('the table has one line per case and ends with what the failed ones said', () => {
  expect(resultTable([passed, failed]).split('\n')).toEqual([
    'case            result   seconds',
    'TestSagaNormal  passed      0.13',
    'TestAll         failed     12.00',
    '',
    'failed: TestAll',
    'got 1, want 2',
  ]);
});
