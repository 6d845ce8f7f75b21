/** Python programs that tests run, each in an environment of its own beside its `requirements.txt`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const remedy = 'Get it by `apt-get install python3 python3-venv`, `brew install python` or `winget install Python.Python.3.13`.';

/** Why no environment can be made; null: it can. */
export function missingPython(): string | null {
  const { error, status } = spawnSync('python3', ['-c', 'import ensurepip, venv']);
  if (error !== undefined) return `the program \`python3\` cannot be started (${error.message}). ${remedy}`;
  return status === 0 ? null : `Python has no \`venv\`. ${remedy}`;
}

/** Runs a program in the folder of the requirements, to its end. @returns its exit code */
export type RunThere = (command: string, ...args: string[]) => Promise<number | null>;

/** The path of a program of the environment. */
export function programOf(folder: string, name: string): string {
  const environment = join(folder, '.venv');
  return process.platform === 'win32' ? join(environment, 'Scripts', `${name}.exe`) : join(environment, 'bin', name);
}

/** Makes the environment, unless it is there with just what is required. @returns the exit code of what failed, or 0 */
export async function prepareEnvironment(folder: string, run: RunThere): Promise<number | null> {
  const required = readFileSync(join(folder, 'requirements.txt'), 'utf8');
  const stamp = join(folder, '.venv', 'requirements.txt');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === required) return 0;
  const made = await run('python3', '-m', 'venv', '--clear', join(folder, '.venv'));
  if (made !== 0) return made;
  const installed = await run(
    programOf(folder, 'python'),
    '-m',
    'pip',
    'install',
    '--quiet',
    '--requirement',
    'requirements.txt',
  );
  if (installed === 0) writeFileSync(stamp, required);
  return installed;
}
