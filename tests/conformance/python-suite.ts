/** The suite in Python: DTM's own client library, dtmcli 1.7.7.0, in an environment of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingPython, prepareEnvironment, programOf } from '../python-environment.ts';
import type { CaseResult, Suite, SuiteRequest } from './case-result.ts';
import { createLineReport } from './line-report.ts';
import { runProgram } from './suite-process.ts';

const folder = join(import.meta.dirname, 'python');

export const pythonSuite: Suite = {
  name: 'python',
  client: 'dtmcli 1.7.7.0',
  services: ['mariadb'],
  missing: missingPython,
  caseNames,
  run,
};

function caseNames(): readonly string[] {
  return [...readFileSync(join(folder, 'suite.py'), 'utf8').matchAll(/^def case_(\w+)\(/gm)].map((match) => match[1]!);
}

async function run(request: SuiteRequest): Promise<readonly CaseResult[]> {
  const names = caseNames();
  const report = createLineReport();
  request.onProgress?.({ phase: 'building', done: 0, failed: 0 });
  const program = (command: string, ...args: string[]) => runProgram({ command, args, folder }, request, report.accept);
  if ((await prepareEnvironment(folder, program)) !== 0) return report.results(names, 1);
  const exitCode = await runProgram({ command: programOf(folder, 'python'), args: ['suite.py'], folder }, request, (line) => {
    report.accept(line);
    request.onProgress?.({ phase: 'running', ...report.tally() });
  });
  return report.results(names, exitCode);
}
