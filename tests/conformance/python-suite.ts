/** The suite in Python: DTM's own client library, dtmcli 1.7.7.0, in an environment of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseResult, Suite, SuiteRequest } from './case-result.ts';
import { createLineReport } from './line-report.ts';
import { runProgram } from './suite-process.ts';

const folder = join(import.meta.dirname, 'python');
const environment = join(folder, '.venv');
const remedy = 'Get it by `apt-get install python3 python3-venv`, `brew install python` or `winget install Python.Python.3.13`.';

/** The suite. */
export const pythonSuite: Suite = {
  name: 'python',
  client: 'dtmcli 1.7.7.0',
  services: ['mariadb'],
  missing,
  caseNames,
  run,
};

function missing(): string | null {
  const { error, status } = spawnSync('python3', ['-c', 'import ensurepip, venv']);
  if (error !== undefined) return `the program \`python3\` cannot be started (${error.message}). ${remedy}`;
  return status === 0 ? null : `Python has no \`venv\`. ${remedy}`;
}

function caseNames(): readonly string[] {
  return [...readFileSync(join(folder, 'suite.py'), 'utf8').matchAll(/^def case_(\w+)\(/gm)].map((match) => match[1]!);
}

async function run(request: SuiteRequest): Promise<readonly CaseResult[]> {
  const names = caseNames();
  const report = createLineReport();
  request.onProgress?.({ phase: 'building', done: 0, failed: 0 });
  const program = (command: string, ...args: string[]) => runProgram({ command, args, folder }, request, report.accept);
  if ((await prepare(program)) !== 0) return report.results(names, 1);
  const exitCode = await runProgram({ command: python(), args: ['suite.py'], folder }, request, (line) => {
    report.accept(line);
    request.onProgress?.({ phase: 'running', ...report.tally() });
  });
  return report.results(names, exitCode);
}

function python(): string {
  return process.platform === 'win32' ? join(environment, 'Scripts', 'python.exe') : join(environment, 'bin', 'python');
}

/** Makes the environment, unless it is there with just what is required. @returns the exit code of what failed, or 0 */
async function prepare(program: (command: string, ...args: string[]) => Promise<number | null>): Promise<number | null> {
  const required = readFileSync(join(folder, 'requirements.txt'), 'utf8');
  const stamp = join(environment, 'requirements.txt');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === required) return 0;
  const made = await program('python3', '-m', 'venv', '--clear', environment);
  if (made !== 0) return made;
  const installed = await program(python(), '-m', 'pip', 'install', '--quiet', '--requirement', 'requirements.txt');
  if (installed === 0) writeFileSync(stamp, required);
  return installed;
}
