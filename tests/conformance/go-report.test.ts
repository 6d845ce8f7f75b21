import { expect, test } from 'vitest';
import { createGoReport } from './go-report.ts';

function reportOf(events: readonly (Record<string, unknown> | string)[]) {
  const report = createGoReport();
  for (const event of events) report.accept(typeof event === 'string' ? event : JSON.stringify(event));
  return report;
}

test('leaf tests are results, parents are not', () => {
  const report = reportOf([
    { Action: 'run', Test: 'TestA' },
    { Action: 'run', Test: 'TestA/one' },
    { Action: 'output', Test: 'TestA/one', Output: '=== RUN   TestA/one\n' },
    { Action: 'output', Test: 'TestA/one', Output: '    a_test.go:3: got 1\n' },
    { Action: 'fail', Test: 'TestA/one', Elapsed: 0.5 },
    { Action: 'fail', Test: 'TestA', Elapsed: 0.6 },
    { Action: 'run', Test: 'TestB' },
    { Action: 'pass', Test: 'TestB', Elapsed: 1 },
  ]);
  expect(report.results(1)).toEqual([
    { name: 'TestA/one', outcome: 'failed', seconds: 0.5, output: '    a_test.go:3: got 1\n' },
    { name: 'TestB', outcome: 'passed', seconds: 1, output: '' },
  ]);
  expect(report.tally()).toEqual({ started: true, done: 2, failed: 1 });
});

test('a parent that fails by itself is a result', () => {
  const report = reportOf([
    { Action: 'run', Test: 'TestA' },
    { Action: 'pass', Test: 'TestA/one' },
    { Action: 'fail', Test: 'TestA' },
  ]);
  expect(report.results(1).map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(['TestA failed', 'TestA/one passed']);
});

test('a test that never ended has failed', () => {
  const report = reportOf([{ Action: 'run', Test: 'TestA' }, 'signal: killed']);
  expect(report.results(null)).toEqual([
    { name: 'TestA', outcome: 'failed', seconds: 0, output: 'did not finish: the run broke off\n' },
  ]);
});

test('a run without tests that ended badly has failed, with what it said', () => {
  const report = reportOf(['go: no route to the module proxy', '{ torn']);
  expect(report.results(1)).toEqual([
    { name: 'go test', outcome: 'failed', seconds: 0, output: 'go: no route to the module proxy\n{ torn\n' },
  ]);
  expect(report.tally().started).toBe(false);
});
