/** A participant of a test: a real HTTP server that remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** What a path answers: a status, or the whole answer by hand. */
type Behaviour = number | ((response: ServerResponse) => void);

/** A running participant. */
export interface Participant {
  readonly url: string;
  /** `op path` of every call, in order. */
  readonly calls: string[];
  /** Resolves when a call has arrived whose `op path` ends so; at once when it was there already. */
  called(end: string): Promise<void>;
}

/**
 * Starts one; paths that `answers` does not name answer 200.
 * @param heard is given the body and the headers of each call
 */
export async function participant(
  answers: Readonly<Record<string, Behaviour>> = {},
  heard: (body: string, headers: IncomingHttpHeaders) => void = () => {},
): Promise<Participant> {
  const calls: string[] = [];
  const watchers = new Set<() => void>();
  const url = await listening(async (request, response) => {
    heard(await text(request), request.headers);
    const { pathname, searchParams } = new URL(request.url!, 'http://x');
    calls.push(`${searchParams.get('op')} ${pathname}`);
    for (const look of watchers) look();
    const answer = answers[pathname] ?? 200;
    if (typeof answer === 'number') response.writeHead(answer).end('{"message":"said so"}');
    else answer(response);
  });
  return { url, calls, called: (end) => untilCalled(end, { calls, watchers }) };
}

interface Heard {
  readonly calls: readonly string[];
  readonly watchers: Set<() => void>;
}

function untilCalled(end: string, { calls, watchers }: Heard): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!calls.some((call) => call.endsWith(end))) return;
      watchers.delete(look);
      resolve();
    };
    watchers.add(look);
    look();
  });
}

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address at which nobody listens: a port that was free a moment ago. */
export async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
