/** `amends bench`: loads a running coordinator with sagas and says how many it ends each second. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AmendsClient } from '@amends/client';
import { Command, InvalidArgumentError } from 'commander';
import { type ServerOptions, withClient, withServerOptions } from './server-options.ts';
import { print, printJson } from './terminal.ts';

interface BenchOptions extends ServerOptions {
  readonly seconds: number;
  readonly connections: number;
  readonly participant?: string;
  readonly emptySteps?: boolean;
}

export function benchCommand(): Command {
  const command = new Command('bench')
    .description('load a running coordinator with sagas of two steps, each waited for to its end')
    .option('--seconds <count>', 'how long', parseCount, 5)
    .option('--connections <count>', 'sagas under way at once', parseCount, 64)
    .option('--participant <url>', 'address that both steps call (default: a service of this process that always succeeds)')
    .option('--empty-steps', 'steps that call nothing: the coordinator and its store alone')
    .addHelpText(
      'after',
      `
The load comes from this process: on the machine of the coordinator the two share its processors. The sagas stay in its store.

Examples:
  $ amends bench
  $ amends bench --server http://10.0.0.5:36789 --participant http://10.0.0.9/ok --seconds 30 --json`,
    );
  return withServerOptions(command).action((options: BenchOptions) => withClient(options, (client) => bench(client, options)));
}

interface Report {
  readonly sagas: number;
  readonly failed: number;
  readonly seconds: number;
  readonly sagasPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function bench(client: AmendsClient, options: BenchOptions): Promise<void> {
  await client.health();
  const service = options.participant === undefined && !options.emptySteps ? await openParticipant() : null;
  try {
    const url = options.emptySteps ? '' : (options.participant ?? addressOf(service!));
    const report = await load(client, url, options);
    if (options.json) return printJson(report);
    print(`${report.sagasPerSecond} sagas/s over ${report.seconds} s (${report.sagas} sagas, ${report.failed} not succeeded)`);
    print(`latency p50 ${report.p50Ms} ms, p99 ${report.p99Ms} ms`);
  } finally {
    service?.close();
    service?.closeAllConnections();
  }
}

async function load(client: AmendsClient, url: string, { seconds, connections, json }: BenchOptions): Promise<Report> {
  const latenciesMs: number[] = [];
  let failed = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  const progress = json || !process.stderr.isTTY ? null : setInterval(() => tell(latenciesMs.length, startedAt), 500);
  const sender = async () => {
    for (let begunAt = startedAt; begunAt < endsAt; begunAt = performance.now()) {
      const { outcome } = await sagaTo(client, url).submit({ waitMs: 30_000 });
      latenciesMs.push(performance.now() - begunAt);
      if (outcome !== 'succeeded') failed += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, sender));
  if (progress !== null) {
    clearInterval(progress);
    process.stderr.write('\r\x1b[K');
  }
  const tookS = (performance.now() - startedAt) / 1_000;
  return makeReport(latenciesMs, failed, tookS);
}

function sagaTo(client: AmendsClient, url: string) {
  const step = { action: url, payload: { amount: 30 }, irreversible: true } as const;
  return client.saga().step(step).step(step);
}

function makeReport(latenciesMs: number[], failed: number, seconds: number): Report {
  latenciesMs.sort((one, other) => one - other);
  const quantile = (share: number) => round(latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? 0, 1);
  return {
    sagas: latenciesMs.length,
    failed,
    seconds: round(seconds, 1),
    sagasPerSecond: Math.round(latenciesMs.length / seconds),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function tell(sagas: number, startedAt: number): void {
  const seconds = (performance.now() - startedAt) / 1_000;
  process.stderr.write(`\r${sagas} sagas in ${seconds.toFixed(1)} s`);
}

/** Always succeeds. */
async function openParticipant(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    response.end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 to 999999.');
  return Number(text);
}
