/** The suites as part of `npm test`: one test per case that is known before they run. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Startable } from '../../tools/services/kinds.ts';
import { service } from '../../tools/services/service.ts';
import { type AmendsProcess, startAmends } from './amends-process.ts';
import type { CaseResult, Suite } from './case-result.ts';
import { suites } from './suites.ts';

const required = process.env['CI'] === 'true';

describe.each(suites.map((suite) => [suite.client, suite] as const))('%s', (_client, suite) => {
  const missing = suite.missing();
  let server: AmendsProcess | null = null;
  let results: readonly CaseResult[] = [];

  beforeAll(async () => {
    if (missing !== null) return;
    server = await startAmends();
    results = await suite.run({ ...server, services: await startServices(suite) });
  }, 600_000);

  afterAll(() => server?.stop());

  test.for(suite.caseNames())('%s', (name, { skip }) => {
    if (missing !== null && !required) skip(missing);
    expect(missing).toBeNull();
    const cases = results.filter((result) => result.name === name || result.name.startsWith(`${name}/`));
    const others = results.filter((result) => result.outcome === 'failed').map(({ output }) => output);
    expect(cases, `${name} did not run\n${others.join('\n')}`).not.toHaveLength(0);
    const failures = cases.filter((result) => result.outcome === 'failed');
    expect(failures.map((result) => `${result.name}\n${result.output}`).join('\n')).toBe('');
    if (cases.every((result) => result.outcome === 'skipped')) skip(cases[0]!.output.trim());
  });

  test('the server stays up', ({ skip }) => {
    if (missing !== null && !required) skip(missing);
    expect(server).not.toBeNull();
    expect(server?.ended()).toBeNull();
  });
});

async function startServices({ services }: Suite): Promise<Partial<Record<Startable, string>>> {
  const found: Partial<Record<Startable, string>> = {};
  for (const name of services) {
    const url = await service(name).catch(() => null);
    if (url !== null) found[name] = url;
  }
  return found;
}
