/** `npm start` as its user meets it: what it prints, how it ends, and which processes are there because of it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { freePorts } from '../../examples/stage/ports.ts';

const root = join(import.meta.dirname, '..', '..');
const script = join(root, 'tools', 'start.mjs');
/** The coordinator's, and for gRPC the next. */
const portsInRow = 2;

/** A folder for data and the coordinator's ports, for as many starts as a test needs. */
export interface Place {
  readonly folder: string;
  readonly port: number;
  /** Starts with these options and this place. */
  start(...options: string[]): Starter;
  /** As its user starts it: by npm, which is the child. */
  startByNpm(...options: string[]): Starter;
  /** Where an example's services listen, by the names of the variables in its file. */
  addresses(example: string): Readonly<Record<string, string>>;
  /** Command lines of the processes that work here. */
  processes(): readonly RunningProcess[];
  /** Ends what still runs here, and removes the folder. */
  clear(): Promise<void>;
}

/** A line of `ps`. */
export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
}

/** One run of `npm start`. */
export interface Starter {
  readonly child: ChildProcess;
  /** Everything that it has printed. */
  output(): string;
  /** Resolves with the first match in what it prints. @throws Error with the output when it ends without */
  until(words: RegExp): Promise<RegExpExecArray>;
  /** Ctrl-C in its terminal: the signal reaches its whole process group. */
  interrupt(): void;
  /** Its exit code; null: a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** A place that nobody else uses. */
export async function emptyPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'amends-start-'));
  const port = await freePorts(portsInRow);
  const starters: Starter[] = [];
  const processes = () => processesWith(folder);
  const startBy = (command: readonly string[], options: readonly string[]) => {
    const starter = runBy(command, ['--data', folder, '--port', String(port), ...options]);
    starters.push(starter);
    return starter;
  };
  return {
    folder,
    port,
    processes,
    addresses: (example) => parseEnv(readFileSync(join(folder, `${example}.env`), 'utf8')) as Record<string, string>,
    start: (...options) => startBy(plainly, options),
    startByNpm: (...options) => startBy(['npm', 'start', '--'], options),
    async clear() {
      for (const { child } of starters) child.kill('SIGKILL');
      await Promise.all(starters.map(({ ended }) => ended));
      for (const { pid } of processes()) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `npm start` with these options and nothing else. */
export function run(options: readonly string[]): Starter {
  return runBy(plainly, options);
}

const plainly: readonly string[] = [process.execPath, script];

function runBy([program, ...args]: readonly string[], options: readonly string[]): Starter {
  const child = spawn(program!, [...args, ...options], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return {
    child,
    output: () => output,
    interrupt: () => void process.kill(-child.pid!, 'SIGINT'),
    ended: closed.then(() => child.exitCode),
    until(words) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const match = words.exec(output);
          if (match !== null) resolve(match);
        };
        for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
        closed.then(() => reject(new Error(`it ended without ${words}:\n${output}`)), reject);
        look();
      });
    },
  };
}

function processesWith(folder: string): RunningProcess[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const found = lines.filter((line) => line.includes(folder));
  return found.map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+\s+/, '') }));
}
