/** The suite in Go: DTM's own client library, v1.18.7, and participants that answer by script. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { CaseResult, Suite, SuiteRequest } from './case-result.ts';
import { createGoReport } from './go-report.ts';

const folder = join(import.meta.dirname, 'go');
const minorVersionMin = 22;
const remedy =
  'Get it from https://go.dev/dl, or by `apt-get install golang-go`, `brew install go` or `winget install GoLang.Go`.';

/** Cases run side by side: they mostly wait for pauses between retries. */
const parallel = 16;

/** The suite, to be run by `npm run conformance -- go` and by the tests. */
export const goSuite: Suite = { name: 'go', missing, caseNames, run };

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

async function run({ url, grpcAddress, onProgress, signal }: SuiteRequest): Promise<readonly CaseResult[]> {
  signal?.throwIfAborted();
  const report = createGoReport();
  // A process group of its own: `go test` does not pass a signal on to the test program that it starts.
  const child = spawn('go', ['test', '-json', '-count=1', `-parallel=${parallel}`, '-timeout=5m', './...'], {
    cwd: folder,
    env: { ...process.env, AMENDS_URL: url, AMENDS_GRPC: grpcAddress },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const end = () => killGroup(child);
  signal?.addEventListener('abort', end, { once: true });
  const tell = () => {
    const { started, done, failed } = report.tally();
    onProgress?.({ phase: started ? 'running' : 'building', done, failed });
  };
  tell();
  const accept = (line: string) => {
    report.accept(line);
    tell();
  };
  const [exitCode] = await Promise.all([exitOf(child), readLines(child.stdout, accept), readLines(child.stderr, accept)]);
  signal?.removeEventListener('abort', end);
  return report.results(exitCode);
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}

async function readLines(stream: Readable, accept: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) accept(line);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  if (process.platform === 'win32') child.kill();
  else process.kill(-child.pid, 'SIGTERM');
}
