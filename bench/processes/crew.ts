/** The processes of a run: started, told, listened to, and all gone at the end, whatever the end is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const stopsWithinMs = 15_000;
const linesKept = 12;

/**
 * Runs first in every process: it ends when this one is gone, because the channel between them closes then. Plain text,
 * so that it costs the process next to nothing.
 */
const leash = `data:text/javascript,${encodeURIComponent(
  "process.once('disconnect', () => process.exit(1)); process.channel?.unref();",
)}`;

/** What to run. */
interface Program {
  /** For people and the log's file name. */
  readonly name: string;
  /** Arguments of `node`. */
  readonly args: readonly string[];
}

/** A process that runs. */
export interface Member {
  readonly pid: number;
  send(message: object | string): void;
  /** The next message of its own. @throws Error with its last lines when it ends instead */
  message<T>(): Promise<T>;
  /** Hears every message. @returns a function that ends it */
  listen<T>(listener: (message: T) => void): () => void;
  /** Rejects when it ends without having been told to. */
  readonly lost: Promise<never>;
  /** SIGTERM, and SIGKILL if that is not enough. Resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
}

/** All processes of a run. */
export interface Crew {
  start(program: Program): Member;
  /** A crew that may go earlier; it goes with this one at the latest. */
  part(): Crew;
  /** Stops all. Idempotent. */
  close(): Promise<void>;
}

/** An empty crew. @param folder for the logs */
export function createCrew(folder: string): Crew {
  const members = new Set<Member>();
  const parts = new Set<Crew>();
  let closed = false;
  return {
    start(program) {
      if (closed) throw new Error('interrupted');
      const member = startMember(program, join(folder, `${program.name}.log`));
      members.add(member);
      return member;
    },
    part() {
      const part = createCrew(folder);
      parts.add(part);
      return part;
    },
    async close() {
      closed = true;
      await Promise.all([...[...members].map((member) => member.stop()), ...[...parts].map((part) => part.close())]);
    },
  };
}

function startMember({ name, args }: Program, log: string): Member {
  const child = spawnLeashed(args, log);
  let told = false;
  const lost = new Promise<never>((_resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${name} cannot be started: ${error.message}`)));
    child.once('exit', (code, signal) => {
      if (!told) reject(new Error(`${name} ended unexpectedly (${code ?? signal}); its last words:\n${lastLines(log)}`));
    });
  });
  lost.catch(() => {}); // Whoever waits for the member hears of it.
  return {
    pid: child.pid ?? 0,
    lost,
    send: (message) => child.send(message),
    message: <T>() => Promise.race([once(child, 'message').then(([message]) => message as T), lost]),
    listen(listener) {
      child.on('message', listener);
      return () => child.off('message', listener);
    },
    async stop() {
      told = true;
      await endChild(child, 'SIGTERM');
    },
    async kill() {
      told = true;
      await endChild(child, 'SIGKILL');
    },
  };
}

/** A process group of its own: Ctrl-C reaches this process only, which then stops everything in order. */
function spawnLeashed(args: readonly string[], log: string): ChildProcess {
  const output = openSync(log, 'a');
  const stdio: ['ignore', number, number, 'ipc'] = ['ignore', output, output, 'ipc'];
  const child = spawn(process.execPath, ['--import', leash, ...args], { stdio, detached: true });
  closeSync(output);
  return child;
}

async function endChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const patience = new AbortController();
  pause(stopsWithinMs, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  await gone;
  patience.abort();
}

function lastLines(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-linesKept).join('\n');
}
