import { expect, test } from 'vitest';
import { amends, serving } from './testing/amends-command.ts';

test('tells how many sagas ended each second, for programs and for people', async () => {
  const { url } = await serving('--store', 'memory:');
  const load = ['bench', '--server', url, '--seconds', '1', '--connections', '4'];
  const told = await amends(...load, '--json');
  expect(told).toMatchObject({ code: 0, stderr: '' });
  const report = JSON.parse(told.stdout);
  expect(report).toMatchObject({ failed: 0, sagas: expect.any(Number), p99Ms: expect.any(Number) });
  expect(report.sagas).toBeGreaterThan(0);
  const written = await amends(...load, '--empty-steps');
  expect(written.code).toBe(0);
  expect(written.stdout).toMatch(
    /^\d+ sagas\/s over [\d.]+ s \(\d+ sagas, 0 not succeeded\)\nlatency p50 [\d.]+ ms, p99 [\d.]+ ms\n$/,
  );
});

test('loads nothing when no coordinator is there', async () => {
  const run = await amends('bench', '--server', 'http://127.0.0.1:1', '--seconds', '1');
  expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^amends: .*127\.0\.0\.1:1/) });
});
