/**
 * Vitest's global set-up: answers the test files' requests for services. Nothing is started before the first; then a
 * keeper, a process of its own, starts them and outlives whatever happens to vitest just long enough to clean up.
 */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { isStartable, type Startable } from './kinds.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for services. */
    readonly servicesAt: string;
  }
}

interface Keeper {
  /** @returns `{ name, answer }` or `{ name, error }`, as JSON */
  ask(name: Startable): Promise<string>;
  stop(): Promise<void>;
}

/** Called by vitest before all tests. @returns what ends it after them */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let keeper: Keeper | null = null;
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    if (!isStartable(name)) return void response.writeHead(404).end();
    keeper ??= startKeeper();
    keeper.ask(name).then(
      (answer) => response.end(answer),
      (error: unknown) => response.end(JSON.stringify({ name, error: String(error) })),
    );
  });
  project.provide('servicesAt', await listening(server));
  return async () => {
    server.close();
    server.closeAllConnections();
    await keeper?.stop();
  };
}

async function listening(server: Server): Promise<string> {
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function startKeeper(): Keeper {
  // In a group of its own: what kills vitest's must leave somebody to clean up.
  const options = { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [], detached: true } satisfies ForkOptions;
  const child = fork(join(import.meta.dirname, 'main.ts'), options);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    ask: (name) =>
      Promise.race([ask(child, name), ended.then(() => Promise.reject(new Error('the keeper of the services ended')))]),
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function ask(child: ChildProcess, name: Startable): Promise<string> {
  return new Promise((resolve) => {
    const listen = (message: { readonly name: string }) => {
      if (message.name !== name) return;
      child.off('message', listen);
      resolve(JSON.stringify(message));
    };
    child.on('message', listen);
    child.send(name);
  });
}
