/** The product holds its promises under these seeds, and the simulator can be believed: it repeats itself and gets around. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCampaign, traceSeed } from './running/campaign.ts';
import { simulate } from './running/simulate.ts';
import { Coverage, seldom } from './world/coverage.ts';
import { loadProduction } from './world/production.ts';

const production = await loadProduction();

test('no invariant is broken under 3,000 seeds, and they reach every fault and mode', async () => {
  const { failed, coverage } = await runCampaign({ production, first: 1, count: 3_000 });
  expect(failed === null ? '' : `seed ${failed.seed}\n${failed.trace.join('\n')}`).toBe('');
  const missing = coverage.missing();
  expect(missing.filter((name) => !name.startsWith('state × event') && !seldom.has(name))).toEqual([]);
  expect(missing.length).toBeLessThan(15);
});

test.each([7, 20, 104])('seed %i tells the same story again, byte for byte', async (seed) => {
  const first = await traceSeed(production, seed);
  expect(first.trace.length).toBeGreaterThan(20);
  expect((await traceSeed(production, seed)).trace.join('\n')).toBe(first.trace.join('\n'));
});

test('a seed tells the same story in another process', async () => {
  const { trace } = await traceSeed(production, 11);
  const tell = () =>
    execFileSync(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url)), '--seed', '11'], { encoding: 'utf8' });
  const told = tell();
  expect(tell()).toBe(told);
  expect(told.startsWith(`${trace.join('\n')}\n`)).toBe(true);
});

test('a trace changes nothing: the run without one goes the same way', async () => {
  const tables = [true, false].map(async (tracing) => {
    const coverage = new Coverage();
    await simulate({ production, seed: 11, coverage, tracing });
    return coverage.table();
  });
  expect(await tables[0]).toBe(await tables[1]);
});
