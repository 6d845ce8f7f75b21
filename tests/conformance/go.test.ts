/** The Go suite as part of `npm test`: one test per top-level case. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AmendsProcess, startAmends } from './amends-process.ts';
import type { CaseResult } from './case-result.ts';
import { goSuite } from './go-suite.ts';

const missing = goSuite.missing();
const required = process.env['CI'] === 'true';

describe('the Go client of DTM', () => {
  let server: AmendsProcess | null = null;
  let results: readonly CaseResult[] = [];

  beforeAll(async () => {
    if (missing !== null) return;
    server = await startAmends();
    results = await goSuite.run(server);
  }, 360_000);

  afterAll(() => server?.stop());

  test.for(goSuite.caseNames())('%s', (name, { skip }) => {
    if (missing !== null && !required) skip(missing);
    expect(missing).toBeNull();
    const cases = results.filter((result) => result.name === name || result.name.startsWith(`${name}/`));
    const said = results.filter((result) => result.name === 'go test').map((result) => result.output);
    expect(cases, `${name} did not run\n${said.join('\n')}`).not.toHaveLength(0);
    const failures = cases.filter((result) => result.outcome === 'failed');
    expect(failures.map((result) => `${result.name}\n${result.output}`).join('\n')).toBe('');
  });

  test('the server stays up', ({ skip }) => {
    if (missing !== null && !required) skip(missing);
    expect(server).not.toBeNull();
    expect(server?.ended()).toBeNull();
  });
});
