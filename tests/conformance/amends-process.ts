/** Starts Amends as its users do, by its command, with an empty SQLite store on free ports of the loopback interface. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const command = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'amends.js');
const startMsMax = 30_000;
const stopMsMax = 15_000;

/** A server that runs. */
export interface AmendsProcess {
  /** Root of its HTTP side, without a trailing slash. */
  readonly url: string;
  /** Address of its gRPC side, `host:port`. */
  readonly grpcAddress: string;
  /** How it ended and what it said last; null while it runs. */
  ended(): string | null;
  /** Stops it (first kindly, then by force) and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a server and waits until it is ready.
 * @throws Error when it ends before that or takes more than half a minute; with the last lines it wrote
 */
export async function startAmends(): Promise<AmendsProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'amends-conformance-'));
  const log = join(folder, 'server.log');
  const [port, grpcPort] = await freePorts();
  const url = `http://127.0.0.1:${port}`;
  const listen = ['--host', '127.0.0.1', '--port', String(port), '--grpc-port', String(grpcPort)];
  const output = openSync(log, 'a');
  const store = `sqlite:${join(folder, 'amends.db')}`;
  const child = spawn(process.execPath, ['--max-semi-space-size=32', command, 'serve', ...listen, '--store', store], {
    cwd: folder,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const server: AmendsProcess = {
    url,
    grpcAddress: `127.0.0.1:${grpcPort}`,
    ended: () => (isRunning(child) ? null : `${howItEnded(child)}\n${tail(log)}`),
    stop: async () => {
      await stopProcess(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await ready(server, log);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

async function ready(server: AmendsProcess, log: string): Promise<void> {
  const deadline = performance.now() + startMsMax;
  while (!(await answers(`${server.url}/readyz`))) {
    const end = server.ended();
    if (end !== null) throw new Error(`the server did not start: ${end}`);
    if (performance.now() > deadline) throw new Error(`the server is not ready after ${startMsMax / 1000} s\n${tail(log)}`);
    await pause(50);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function howItEnded({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `it ended with code ${exitCode}` : `it was ended by ${signalCode}`;
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = new AbortController();
  const force = pause(stopMsMax, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  await gone;
  patience.abort();
  await force;
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n') : '';
}

/**
 * Two ports that were free a moment ago, below the range from which systems give ports to outgoing connections: from
 * that range one could be taken before the server listens.
 */
async function freePorts(): Promise<readonly [number, number]> {
  const first = await freePort();
  let second = await freePort();
  while (second === first) second = await freePort();
  return [first, second];
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const holder = createServer();
    const taken = await new Promise<boolean>((resolve, reject) => {
      holder.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(true) : reject(error)));
      holder.listen(port, '127.0.0.1', () => resolve(false));
    });
    if (taken) continue;
    await once(holder.close(), 'close');
    return port;
  }
}
