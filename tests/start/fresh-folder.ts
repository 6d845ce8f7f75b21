/** An empty folder beside a clone named `amends`, in which samples are tried as their reader tries them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const root = join(import.meta.dirname, '..', '..');
const notOfTheClone = new Set(['.git', 'data']);

/** A folder and the clone beside it. */
export interface FreshFolder {
  readonly path: string;
  /** This repository, but for its data, which are those that were given. */
  readonly clone: string;
  write(file: string, content: string): void;
  /**
   * Runs the lines of a shell, until one fails.
   * @param cwd where. Default: the folder
   */
  shell(lines: string, cwd?: string): Promise<Said>;
  /** Starts the lines of a shell that go on until `remove`. @returns the first line that is printed */
  background(lines: string): Promise<string>;
  /** Ends what still runs in it, and removes it. */
  remove(): Promise<void>;
}

/** How a shell ended. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes a folder. @param dataFolder what the clone has as its data */
export function makeFreshFolder(dataFolder?: string): FreshFolder {
  const above = mkdtempSync(join(tmpdir(), 'amends-beside-'));
  const clone = join(above, 'amends');
  const path = join(above, 'empty');
  for (const folder of [clone, path]) mkdirSync(folder);
  for (const entry of readdirSync(root)) if (!notOfTheClone.has(entry)) symlinkSync(join(root, entry), join(clone, entry));
  if (dataFolder !== undefined) symlinkSync(dataFolder, join(clone, 'data'));
  const stops: (() => Promise<void>)[] = [];
  return {
    path,
    clone,
    write: (file, content) => writeFileSync(join(path, file), content),
    shell: async (lines, cwd = path) => {
      const child = startShell(lines, cwd);
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      return { code: child.exitCode, stdout, stderr };
    },
    background: async (lines) => {
      const child = startShell(lines, path);
      const closed = once(child, 'close');
      const errors = text(child.stderr);
      stops.push(async () => {
        if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
        await closed;
      });
      const line = await Promise.race([once(child.stdout, 'data'), closed.then(async () => [await errors])]);
      return String(line[0]);
    },
    remove: async () => {
      await Promise.all(stops.map((stop) => stop()));
      rmSync(above, { recursive: true, force: true });
    },
  };
}

function startShell(lines: string, cwd: string) {
  return spawn('sh', ['-e', '-c', lines], { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
}

/** A block of code in a page. */
export interface Sample {
  /** What stands behind the opening fence: `sh`, `ts`, `go`, `ts no-run`. */
  readonly language: string;
  readonly code: string;
}

/**
 * The blocks of a page.
 * @param page its path from the root of the repository
 * @param section the second-level heading below which they stand. Default: the whole page
 */
export function readSamples(page: string, section?: string): readonly Sample[] {
  const whole = readFileSync(join(root, page), 'utf8');
  const sections = whole.split(/^## /m);
  const text = section === undefined ? whole : sections.find((each) => each.startsWith(`${section}\n`))!;
  return [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map((match) => ({ language: match[1]!, code: match[2]! }));
}
