/** The suite in Java: DTM's own client library, dtmcli-java 2.1.5, by Maven. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseResult, Suite, SuiteRequest } from './case-result.ts';
import { createLineReport } from './line-report.ts';
import { runProgram } from './suite-process.ts';

const folder = join(import.meta.dirname, 'java');
const libraries = join('target', 'libraries');
const versionMin = 17;
const remedy = 'Get them by `apt-get install default-jdk-headless maven`, `brew install openjdk maven` or from their sites.';

export const javaSuite: Suite = {
  name: 'java',
  client: 'io.github.dtm-labs:dtmcli-java:2.1.5',
  services: [],
  missing,
  caseNames,
  run,
};

function missing(): string | null {
  const { error, stderr } = spawnSync('javac', ['-version'], { encoding: 'utf8' });
  if (error !== undefined) return `the program \`javac\` cannot be started (${error.message}). ${remedy}`;
  const { stdout } = spawnSync('javac', ['-version'], { encoding: 'utf8' });
  const version = Number(/javac (\d+)/.exec(stdout + stderr)?.[1] ?? Number.NaN);
  if (!(version >= versionMin)) return `Java ${versionMin} or newer is needed, this is ${(stdout + stderr).trim()}. ${remedy}`;
  const maven = spawnSync('mvn', ['--version']);
  return maven.error === undefined ? null : `the program \`mvn\` cannot be started (${maven.error.message}). ${remedy}`;
}

function caseNames(): readonly string[] {
  return [...readFileSync(join(folder, 'Suite.java'), 'utf8').matchAll(/cases\.put\("(\w+)"/g)].map((match) => match[1]!);
}

async function run(request: SuiteRequest): Promise<readonly CaseResult[]> {
  const names = caseNames();
  const report = createLineReport();
  request.onProgress?.({ phase: 'building', done: 0, failed: 0 });
  if (!existsSync(join(folder, libraries, 'dtmcli-java-2.1.5.jar'))) {
    const args = ['--quiet', '--batch-mode', 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`];
    const exitCode = await runProgram({ command: 'mvn', args, folder }, request, report.accept);
    if (exitCode !== 0) return report.results(names, exitCode);
  }
  const args = ['-cp', join(libraries, '*'), 'Suite.java'];
  const exitCode = await runProgram({ command: 'java', args, folder }, request, (line) => {
    report.accept(line);
    request.onProgress?.({ phase: 'running', ...report.tally() });
  });
  return report.results(names, exitCode);
}
