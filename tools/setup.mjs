/**
 * Brings a fresh clone to where its scripts run: installs what package-lock.json names, then builds what changed.
 * Plain JavaScript on Node's own modules, because it runs before anything is installed, on any Node >= 20.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants as system } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, '.setup', 'installed');
const onWindows = process.platform === 'win32';
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The pinned Node inside the clone; every script after set-up runs on it. */
export const node = join(root, 'node_modules', '.bin', 'node');

/** The environment in which `node` is the pinned one for children too. */
export const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${onWindows ? ';' : ':'}${process.env.PATH ?? ''}`,
};

/** A set-up step that failed; its message says what to do. */
class SetupError extends Error {}

/** Installs and builds, each only when its inputs have changed, and says what it does. */
export async function setUp() {
  try {
    requireNode();
    await install();
    build();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`\namends: ${error.message}\n`);
    process.exit(1);
  }
}

function requireNode() {
  if (Number(process.versions.node.split('.')[0]) < 20)
    throw new SetupError(`Node ${process.versions.node} is too old to set up this project: install Node 20 or newer.`);
}

async function install() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && existsSync(node) && readFileSync(stamp, 'utf8') === wanted) return;
  requireWritable();
  rmSync(stamp, { force: true });
  say('installing dependencies (first start, or package-lock.json has changed) …');
  // Only `node` needs its install script, which fetches the binary for this platform; the others would want a compiler.
  // More attempts than npm's own with shorter pauses: without a network the answer comes in seconds instead of minutes.
  const retries = ['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-factor=3'];
  const options = ['--no-audit', '--no-fund', '--loglevel=error', ...retries];
  const installed =
    (await npm(['ci', '--ignore-scripts', ...options])) === 0 && (await npm(['rebuild', 'node', ...options])) === 0;
  if (!installed)
    throw new SetupError(
      'npm ci failed; what it said is above. Without network access to the npm registry nothing can be installed: ' +
        'check the connection or the proxy (npm config get registry).',
    );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function requireWritable() {
  try {
    accessSync(root, constants.W_OK);
  } catch (error) {
    throw new SetupError(`cannot install into ${root} (${error.message}). Give yourself write permission on this folder.`);
  }
}

function npm(args) {
  return new Promise((resolve, reject) => {
    // In a process group of its own: npm that hears of Ctrl-C goes on for many seconds, to take back what the next start begins
    // anew.
    const child = spawn('npm', args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: !onWindows,
      shell: onWindows,
    });
    const stop = (signal) => {
      process.kill(onWindows ? child.pid : -child.pid, 'SIGKILL');
      process.exit(128 + system.signals[signal]);
    };
    for (const signal of endings) process.once(signal, stop);
    const startedAt = Date.now();
    const progress = setInterval(() => say(`… still installing, ${Math.round((Date.now() - startedAt) / 1000)} s`), 10_000);
    child.once('error', (error) => reject(new SetupError(`npm cannot be started: ${error.message}`)));
    child.once('exit', (code) => {
      clearInterval(progress);
      for (const signal of endings) process.off(signal, stop);
      resolve(code ?? 1);
    });
  });
}

function build() {
  const startedAt = Date.now();
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const built = spawnSync(node, [tsc, '-b'], { cwd: root, stdio: 'inherit', env: environment });
  if (built.status !== 0) throw new SetupError('the build failed; the errors above name the places.');
  if (Date.now() - startedAt > 1_000) say(`built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}

function say(text) {
  process.stdout.write(`amends: ${text}\n`);
}

/** Runs a program of the workspace on the pinned Node, passes signals on, and ends as it ended. */
export function run(args) {
  const child = spawn(node, args, { cwd: root, stdio: 'inherit', env: environment });
  for (const signal of endings) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}
