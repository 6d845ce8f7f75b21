/** The suite in Go: DTM's own client library, v1.18.7, and participants that answer by script. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseResult, Suite, SuiteRequest } from './case-result.ts';
import { createGoReport } from './go-report.ts';
import { runProgram } from './suite-process.ts';

const folder = join(import.meta.dirname, 'go');
/** What Debian 12 has. */
const minorVersionMin = 19;
const remedy = 'Get it by `apt-get install golang-go`, `brew install go` or `winget install GoLang.Go`.';

/** Cases run side by side: they mostly wait for pauses between retries. */
const parallel = 16;

/** The suite, to be run by `npm run conformance -- go` and by the tests. */
export const goSuite: Suite = {
  name: 'go',
  client: 'github.com/dtm-labs/client v1.18.7',
  services: ['mariadb', 'postgres', 'redis'],
  missing,
  caseNames,
  run,
};

function missing(): string | null {
  const { error, status, stdout, stderr } = spawnSync('go', ['env', 'GOVERSION'], { cwd: folder, encoding: 'utf8' });
  if (error !== undefined) return `the program \`go\` cannot be started (${error.message}). ${remedy}`;
  if (status !== 0) return `\`go env\` failed: ${stderr.trim()}. ${remedy}`;
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? Number.NaN);
  if (minor >= minorVersionMin) return null;
  return `Go 1.${minorVersionMin} or newer is needed, this is ${stdout.trim()}. ${remedy}`;
}

function caseNames(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('_test.go'))
    .flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/^func (Test\w+)\(t /gm)].map((match) => match[1]!));
}

async function run(request: SuiteRequest): Promise<readonly CaseResult[]> {
  const report = createGoReport();
  const tell = () => {
    const { started, done, failed } = report.tally();
    request.onProgress?.({ phase: started ? 'running' : 'building', done, failed });
  };
  tell();
  const args = ['test', '-json', '-count=1', `-parallel=${parallel}`, '-timeout=5m', './...'];
  const exitCode = await runProgram({ command: 'go', args, folder }, request, (line) => {
    report.accept(line);
    tell();
  });
  return report.results(exitCode);
}
