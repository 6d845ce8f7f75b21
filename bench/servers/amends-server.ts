/** Amends as the process under test, on a SQLite file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../../examples/stage/ports.ts';
import type { Crew, Member } from '../processes/crew.ts';
import { root, type Scratch } from '../processes/scratch.ts';

const readyWithinMs = 30_000;
const lookEveryMs = 25;
const slowDisk = join(import.meta.dirname, 'slow-disk-server.mjs');

/** How to start it. */
export interface AmendsOptions {
  /** For people, and for its files. */
  readonly name: string;
  /** Path of the database file. Default: an empty one named after it. */
  readonly file?: string;
  /** Lets every commit take so much longer. Milliseconds. Default: 0. */
  readonly fsyncDelayMs?: number;
  /** Root of the checkout whose server it is, which is built. Default: this one. */
  readonly checkout?: string;
  /** More arguments of `node`. */
  readonly nodeArgs?: readonly string[];
}

/** A server that is ready. */
export interface AmendsServer {
  readonly name: string;
  readonly url: string;
  /** Where it speaks gRPC, as `http://host:port`; empty: nowhere. */
  readonly grpcUrl: string;
  readonly pid: number;
  /** Rejects when it ends without having been told to. */
  readonly lost: Promise<never>;
  stop(): Promise<void>;
  /** As a power failure would. */
  kill(): Promise<void>;
}

/** Starts a server and waits until it is ready. @throws Error with its last words when it ends instead */
export async function startAmends(
  options: AmendsOptions,
  { crew, scratch }: { crew: Crew; scratch: Scratch },
): Promise<AmendsServer> {
  const { name, file = join(scratch.folder, `${name}.db`), fsyncDelayMs = 0, checkout = root, nodeArgs = [] } = options;
  const program = (args: readonly string[]) => crew.start({ name, args: [...nodeArgs, ...args] });
  if (fsyncDelayMs === 0) return startCommand({ name, file, command: commandOf(checkout) }, program);
  const member = program([slowDisk, file, String(fsyncDelayMs)]);
  const { url } = await member.message<{ url: string }>();
  return serverOf(name, { url, grpcUrl: '' }, member);
}

async function startCommand(
  { name, file, command }: { readonly name: string; readonly file: string; readonly command: string },
  program: (args: readonly string[]) => Member,
): Promise<AmendsServer> {
  const port = await freePorts(2);
  const listen = ['--host', '127.0.0.1', '--port', `${port}`, '--grpc-port', `${port + 1}`];
  const member = program([...nodeFlagsOf(command), command, 'serve', ...listen, '--store', `sqlite:${file}`]);
  const urls = { url: `http://127.0.0.1:${port}`, grpcUrl: `http://127.0.0.1:${port + 1}` };
  const server = serverOf(name, urls, member);
  await Promise.race([ready(server), member.lost]);
  return server;
}

/** The command of a checkout. */
export function commandOf(checkout: string): string {
  return join(checkout, 'packages', 'cli', 'bin', 'amends.js');
}

/** The flags of `node` that stand in the command's first line, as a shell would give them. */
function nodeFlagsOf(command: string): readonly string[] {
  const [line = ''] = readFileSync(command, 'utf8').split('\n', 1);
  return /^#!.*\bnode (--.*)$/.exec(line)?.[1]?.split(' ') ?? [];
}

function serverOf(name: string, urls: Pick<AmendsServer, 'url' | 'grpcUrl'>, { pid, lost, stop, kill }: Member): AmendsServer {
  return { name, ...urls, pid, lost, stop, kill };
}

async function ready({ name, url }: AmendsServer): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  while (!(await answers(`${url}/readyz`))) {
    if (performance.now() > deadline) throw new Error(`${name} is not ready after ${readyWithinMs / 1000} s`);
    await pause(lookEveryMs);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
