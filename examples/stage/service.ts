/** A process of a system, which is started, killed, restarted and stopped from outside, and never left running. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { portError } from './ports.ts';
import { until } from './until.ts';

const leash = import.meta.resolve('./leash.ts');
/** Where Node keeps what it has compiled, so that a process that comes back is there in half the time. */
const compileCache = join(import.meta.dirname, '..', '..', '.setup', 'compile-cache');
const startsWithinMs = 15_000;
const stopsWithinMs = 6_000;
const linesKept = 12;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Life {
  readonly child: Child;
  endIsExpected: boolean;
}

/** A process that ended without having been told to. */
export class ServiceEnded extends Error {
  /** Exit code or signal; null: it could not even be started. */
  readonly how: number | NodeJS.Signals | null;

  constructor(message: string, how: number | NodeJS.Signals | null) {
    super(message);
    this.how = how;
  }
}

/** What to run. */
export interface Program {
  /** For people. */
  readonly name: string;
  /** Arguments of `node`; `--port` is added. */
  readonly args: readonly string[];
  /** Where it should listen. Where that is taken at the first start, and by default, the kernel chooses. */
  readonly port?: number;
  /** Everything it prints is appended here. */
  readonly logFile: string;
  /** Called when it ends without having been told to. */
  readonly onCrash: (error: ServiceEnded) => void;
}

/**
 * One process. It counts as started when it has printed the address where it listens. It keeps this address through all restarts;
 * when another process listens there meanwhile, it waits.
 */
export class Service {
  readonly name: string;
  /** Where it listens, without a slash at the end; empty before the first start. */
  url = '';
  readonly #program: Program;
  #life: Life | null = null;
  #stopped = false;

  constructor(program: Program) {
    this.name = program.name;
    this.#program = program;
  }

  /** @throws Error with its last lines when it ends before it listens, when it takes more than 15 s, or after `stop` */
  async start(): Promise<void> {
    const port = await this.#freePort();
    if (this.#stopped) throw new Error(`${this.name} has been stopped`);
    const child = this.#spawn(port);
    const life: Life = { child, endIsExpected: false };
    this.#life = life;
    const lastLines = keepLastLines(child, this.#program.logFile);
    const crashed = new Promise<ServiceEnded>((resolve) => {
      child.once('error', (error) => resolve(new ServiceEnded(`${this.name} cannot be started: ${error.message}`, null)));
      child.once('exit', () => {
        this.#life = null;
      });
      // `close` comes after `exit`, when all output has been read.
      child.once('close', (code, signal) => {
        resolve(endOf(this.name, code ?? signal, lastLines, this.#program.logFile));
      });
    });
    const address = await Promise.race([addressIn(child), crashed]);
    if (address instanceof Error) throw address;
    if (address === null) {
      await this.kill();
      throw new Error(`${this.name} did not say within ${startsWithinMs} ms where it listens; see ${this.#program.logFile}`);
    }
    this.url = address;
    void crashed.then((error) => life.endIsExpected || this.#program.onCrash(error));
  }

  /** The port of the next start; 0: the kernel chooses. */
  async #freePort(): Promise<number> {
    if (this.url !== '') {
      const port = Number(new URL(this.url).port);
      await until(`the port ${port} of ${this.name}`, async () => (await portError(port)) === null);
      return port;
    }
    const { port = 0 } = this.#program;
    return (await portError(port)) === null ? port : 0;
  }

  #spawn(port: number): Child {
    const args = ['--import', leash, ...this.#program.args, '--port', `${port}`];
    // It has a process group of its own, so that Ctrl-C reaches only the starter, which then stops everything in order.
    const env = { NODE_COMPILE_CACHE: compileCache, ...process.env };
    return spawn(process.execPath, args, { stdio: 'pipe', detached: true, env });
  }

  /** Sends SIGKILL, as in a power cut. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM, and SIGKILL if that is not enough; for good. Resolves when it is gone; idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const force = setTimeout(() => this.#life?.child.kill('SIGKILL'), stopsWithinMs);
    await this.#end('SIGTERM');
    clearTimeout(force);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    life.endIsExpected = true;
    const gone = new Promise((resolve) => life.child.once('exit', resolve));
    life.child.kill(signal);
    await gone;
  }
}

/** The first address that a process prints; null when there is none in time. */
function addressIn(child: Child): Promise<string | null> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(() => resolve(null), startsWithinMs);
    let printed = '';
    child.stdout.on('data', function look(chunk: Buffer) {
      printed += chunk.toString();
      const [address] = /http:\/\/[\w.:[\]]+:\d+/.exec(printed) ?? [];
      if (address === undefined) return;
      clearTimeout(giveUp);
      child.stdout.off('data', look);
      resolve(address);
    });
  });
}

function keepLastLines(child: Child, logFile: string): string[] {
  const log: WriteStream = createWriteStream(logFile, { flags: 'a' });
  log.on('error', () => {}); // A full disk must not end the story; the last lines are kept in memory too.
  const lines: string[] = [];
  const keep = (chunk: Buffer) => {
    log.write(chunk);
    lines.push(...chunk.toString().trimEnd().split('\n'));
    lines.splice(0, lines.length - linesKept);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('close', () => log.end());
  return lines;
}

function endOf(name: string, how: number | NodeJS.Signals | null, lastLines: readonly string[], logFile: string): ServiceEnded {
  const said = lastLines.length === 0 ? '' : `; its last words:\n  ${lastLines.join('\n  ')}\n`;
  return new ServiceEnded(`${name} ended unexpectedly (${how})${said} (log: ${logFile})`, how);
}
