/**
 * The native API as its OpenAPI document says it: Schemathesis asks in every way that it allows, and in many that it does not.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AmendsProcess, startAmends } from '../conformance/amends-process.ts';
import { runProgram } from '../conformance/suite-process.ts';
import { missingPython, prepareEnvironment, programOf } from '../python-environment.ts';

const required = process.env['CI'] === 'true';
const folder = import.meta.dirname;
/** How long it asks; the rest of two minutes is for its start and its report. Seconds. */
const secondsMax = 60;
/** After so long it is ended, whatever it does. Milliseconds. */
const endsAfterMs = 115_000;

/** What is looked at of its report. */
interface Report {
  readonly complete: boolean;
  readonly operations: { readonly total: number; readonly tested: number };
  readonly test_cases: { readonly generated: number; readonly with_failures: number; readonly errored: number };
}

let server: AmendsProcess;
let scratch: string;
let missing = missingPython();
const output: string[] = [];

beforeAll(async () => {
  if (missing !== null) return;
  server = await startAmends();
  scratch = await mkdtemp(join(tmpdir(), 'amends-contract-'));
  if ((await prepareEnvironment(folder, run)) !== 0) missing = `Schemathesis cannot be installed by pip: ${output.join('\n')}`;
}, 300_000);

afterAll(async () => {
  await server?.stop();
  if (scratch !== undefined) await rm(scratch, { recursive: true });
});

test('Schemathesis finds nothing', { timeout: 120_000 }, async ({ skip }) => {
  if (missing !== null && !required) skip(missing);
  expect(missing).toBeNull();
  const report = join(scratch, 'report.json');
  const exitCode = await runUntil(
    AbortSignal.timeout(endsAfterMs),
    programOf(folder, 'schemathesis'),
    ...['--config-file', 'schemathesis.toml', 'run', `${server.url}/api/v1/openapi.json`, '--no-color'],
    ...['--max-time', String(secondsMax), '--report', 'json', '--report-json-path', report],
    ...['--generation-database', 'none'],
  );
  expect(exitCode, output.join('\n')).toBe(0);
  const { complete, operations, test_cases: cases } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  expect(complete).toBe(true);
  expect(operations.tested).toBe(operations.total);
  expect(cases).toMatchObject({ with_failures: 0, errored: 0 });
  expect(cases.generated, 'cases that passed').toBeGreaterThan(0);
  expect(server.ended()).toBeNull();
});

function run(command: string, ...args: string[]): Promise<number | null> {
  return runUntil(undefined, command, ...args);
}

function runUntil(signal: AbortSignal | undefined, command: string, ...args: string[]): Promise<number | null> {
  output.length = 0;
  const request = { ...server, services: {}, ...(signal === undefined ? {} : { signal }) };
  return runProgram({ command, args, folder }, request, (line) => output.push(line));
}
