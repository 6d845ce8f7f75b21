/**
 * Requests in the forms of clients that cannot be had from their registries here, replayed as they come over the wire: each
 * file in `forms/` is a client, each of its cases a transaction with what the client must be answered, the status that it must
 * end with, and what participants must have been called, in order.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CaseResult, Suite, SuiteRequest } from './case-result.ts';

const folder = join(import.meta.dirname, 'forms');
const endsWithinMs = 20_000;
const lookEveryMs = 50;

interface Client {
  readonly client: string;
  readonly cases: readonly Form[];
}

interface Form {
  readonly name: string;
  /** What is peculiar to it. */
  readonly about: string;
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    /** `{{gid}}` and `{{participant}}` stand for those of the run. */
    readonly body: string;
    readonly answer: { readonly status: number; readonly contains: readonly string[] };
  }[];
  /** Paths at which the participant answers 409. */
  readonly refuses?: readonly string[];
  readonly status: string;
  /** `METHOD /path body`; of JSON-RPC `METHOD /path method params`, without those that the server adds. */
  readonly calls: readonly string[];
}

const forms = readdirSync(folder)
  .sort()
  .flatMap((file) => {
    const { client, cases } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Client;
    return cases.map((form) => ({ name: `${client}: ${form.name}`, form }));
  });

export const formsSuite: Suite = {
  name: 'forms',
  client: 'recorded forms of the clients for Node, C# and PHP',
  services: [],
  missing: () => null,
  caseNames: () => forms.map(({ name }) => name),
  run,
};

async function run({ url, onProgress, signal }: SuiteRequest): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { name, form } of forms) {
    signal?.throwIfAborted();
    results.push(await runCase(name, () => replay(url, form)));
    const failed = results.filter(({ outcome }) => outcome === 'failed').length;
    onProgress?.({ phase: 'running', done: results.length, failed });
  }
  return results;
}

async function runCase(name: string, act: () => Promise<void>): Promise<CaseResult> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  try {
    await act();
    return { name, outcome: 'passed', seconds: seconds(), output: '' };
  } catch (error) {
    return { name, outcome: 'failed', seconds: seconds(), output: (error as Error).message };
  }
}

async function replay(url: string, form: Form): Promise<void> {
  const participant = await startParticipant(form.refuses ?? []);
  try {
    const { gid } = (await (await fetch(`${url}/api/dtmsvr/newGid`)).json()) as { readonly gid: string };
    const fillIn = (text: string) => text.replaceAll('{{gid}}', gid).replaceAll('{{participant}}', participant.url);
    for (const { method, path, body, answer } of form.requests) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url + path, { method, headers, body: fillIn(body) });
      const text = await response.text();
      const isAsExpected = response.status === answer.status && answer.contains.every((part) => text.includes(part));
      if (!isAsExpected)
        throw new Error(`${method} ${path}: answered ${response.status} ${text}, expected ${JSON.stringify(answer)}`);
    }
    await waitForStatus(url, gid, form.status);
    if (JSON.stringify(participant.calls) !== JSON.stringify(form.calls))
      throw new Error(`calls: ${JSON.stringify(participant.calls)}, expected ${JSON.stringify(form.calls)}`);
  } finally {
    participant.server.closeAllConnections();
    participant.server.close();
  }
}

async function waitForStatus(url: string, gid: string, wanted: string): Promise<void> {
  const latest = performance.now() + endsWithinMs;
  for (;;) {
    const answer = await fetch(`${url}/api/dtmsvr/query?gid=${gid}`);
    const { status } = ((await answer.json()) as { readonly transaction: { readonly status: string } }).transaction;
    if (status === wanted) return;
    if (performance.now() > latest) throw new Error(`the transaction is ${status}, never became ${wanted}`);
    await pause(lookEveryMs);
  }
}

interface Participant {
  readonly url: string;
  readonly server: Server;
  readonly calls: string[];
}

async function startParticipant(refuses: readonly string[]): Promise<Participant> {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://participant');
    calls.push(`${request.method} ${pathname} ${said(await readBody(request))}`);
    response.writeHead(refuses.includes(pathname) ? 409 : 200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, calls };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

/** A body as it came; of a call by JSON-RPC its method and its own params. */
function said(body: string): string {
  if (!body.startsWith('{"jsonrpc"')) return body;
  const { method, params } = JSON.parse(body) as { readonly method: string; readonly params: Record<string, unknown> };
  const { gid: _gid, trans_type: _type, branch_id: _branch, op: _op, ...own } = params;
  return `${method} ${JSON.stringify(own)}`;
}
