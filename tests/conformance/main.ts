/** `npm run conformance`: runs the client libraries of other languages against Amends, as black boxes. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { version } from '../../packages/server/src/version.ts';
import { type Startable, startable } from '../../tools/services/kinds.ts';
import { createServices, type Services } from '../../tools/services/running-services.ts';
import { startAmends } from './amends-process.ts';
import { type CaseResult, closingLine, resultTable, type Suite, type SuiteRequest, type Target } from './case-result.ts';
import { conformancePage, type SuiteResults } from './conformance-page.ts';
import { showProgress } from './progress-line.ts';
import { suites } from './suites.ts';

const help = `Runs the client libraries of other languages against Amends, as black boxes.

Usage: npm run conformance -- [SUITE …] [--url URL [--grpc HOST:PORT]]

Suites (all of them when none is named, or by the name all)
${suites.map(({ name, client }) => `  ${name.padEnd(13)}${client}`).join('\n')}

Options
  --url URL    test the server that runs there, such as http://127.0.0.1:36789; it must be able to call back to 127.0.0.1.
               Without it a server with an empty store is started, and stopped and removed at the end
  --grpc HOST:PORT
               where that server listens for gRPC; by default the port after that of --url
  --page FILE  write what all suites have said as a page, as docs/conformance.md; only when nothing failed
  --help       show this text

A suite whose language is not installed is skipped, and so are cases whose database is not (Postgres, MariaDB and Redis are
started from Docker or from installed programs); with CI=true they fail.
Ends with the line "N passed, N failed"; the exit code is 0 when nothing failed, 1 when something did, 2 for wrong usage.
`;

interface Arguments {
  readonly chosen: readonly Suite[];
  /** Null: a server is started. */
  readonly target: Target | null;
  /** Where the page is written; null: nowhere. */
  readonly page: string | null;
}

/** A command line that cannot be understood. */
class UsageError extends Error {}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interruption.abort());

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const given = readArguments(args);
    if (given === null) {
      process.stdout.write(help);
      return 0;
    }
    const { told, others } = await runAll(given);
    const code = conclude([...others, ...told.flatMap(({ results }) => results)]);
    if (given.page !== null) writePage(given.page, told, code);
    return code;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`conformance: ${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Only a run that is whole and clean is worth a page. */
function writePage(path: string, told: readonly SuiteResults[], code: number): void {
  const absent = suites.filter((suite) => !told.some((one) => one.suite === suite));
  if (code !== 0 || absent.length > 0)
    throw new Error(
      `${path} is not written: ${code !== 0 ? 'something failed' : `${absent.map(({ name }) => name).join(', ')} did not run`}`,
    );
  writeFileSync(path, conformancePage(told, version));
  process.stdout.write(`written to ${path}\n`);
}

/** @returns null when help is asked for */
function readArguments(args: readonly string[]): Arguments | null {
  const { values, positionals } = parse(args);
  if (values.help === true) return null;
  const chosen = positionals
    .filter((name) => name !== 'all')
    .map((name) => {
      const suite = suites.find((candidate) => candidate.name === name);
      if (suite === undefined) throw new UsageError(`no suite "${name}": there is ${suites.map((s) => s.name).join(', ')}`);
      return suite;
    });
  return { chosen: chosen.length > 0 ? chosen : suites, target: parseTarget(values), page: values.page ?? null };
}

function parseTarget({ url, grpc }: { readonly url?: string; readonly grpc?: string }): Target | null {
  if (url === undefined) {
    if (grpc === undefined) return null;
    throw new UsageError('--grpc tells where the server of --url listens for gRPC: give --url too');
  }
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
    throw new UsageError(`--url "${url}": give the root of a server, such as http://127.0.0.1:36789`);
  if (grpc !== undefined && !/^[^/]+:\d+$/.test(grpc))
    throw new UsageError(`--grpc "${grpc}": give an address, such as 127.0.0.1:36790`);
  const { hostname, port, protocol } = new URL(url);
  const httpPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  return { url: url.replace(/\/+$/, ''), grpcAddress: grpc ?? `${hostname}:${httpPort + 1}` };
}

function parse(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    const options = { url: text, grpc: text, page: text, help: { type: 'boolean', short: 'h' } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; see --help`);
  }
}

/** What a run has brought. */
interface RunFindings {
  readonly told: readonly SuiteResults[];
  /** Suites that could not run, and what became of the server. */
  readonly others: readonly CaseResult[];
}

async function runAll({ chosen, target }: Arguments): Promise<RunFindings> {
  const absent = chosen.flatMap(reportAbsence);
  const able = chosen.filter((suite) => !absent.some((result) => result.name === suite.name));
  if (able.length === 0) return { told: [], others: absent };
  const databases = createServices({ installs: process.env['CI'] === 'true' });
  try {
    const services = await startServices(able, databases);
    const run = (at: Target) => runSuites(able, { ...at, services });
    const { told, others } = target === null ? await againstOwnServer(run) : { told: await run(target), others: [] };
    return { told, others: [...absent, ...others] };
  } finally {
    await databases.stop();
  }
}

async function againstOwnServer(run: (target: Target) => Promise<readonly SuiteResults[]>): Promise<RunFindings> {
  const server = await startAmends().catch((error: Error) => error);
  if (server instanceof Error) return { told: [], others: [failure('the server starts', server.message)] };
  try {
    const told = await run(server);
    const end = server.ended();
    return { told, others: end === null ? [] : [failure('the server stays up', end)] };
  } finally {
    await server.stop();
  }
}

async function startServices(able: readonly Suite[], databases: Services): Promise<SuiteRequest['services']> {
  const found: Partial<Record<Startable, string>> = {};
  for (const name of startable.filter((each) => able.some(({ services }) => services.includes(each)))) {
    const answer = await databases.get(name);
    if ('url' in answer) found[name] = answer.url;
    else process.stdout.write(`without ${name}: ${answer.missing}\n`);
  }
  return found;
}

type Place = Omit<SuiteRequest, 'onProgress' | 'signal'>;

async function runSuites(able: readonly Suite[], place: Place): Promise<readonly SuiteResults[]> {
  const told: SuiteResults[] = [];
  for (const suite of able) told.push({ suite, results: await runSuite(suite, place) });
  return told;
}

function reportAbsence(suite: Suite): CaseResult[] {
  const reason = suite.missing();
  if (reason === null) return [];
  const required = process.env['CI'] === 'true';
  process.stdout.write(`${required ? 'required with CI=true' : 'skipped'}: ${suite.name}: ${reason}\n`);
  return [{ name: suite.name, outcome: required ? 'failed' : 'skipped', seconds: 0, output: reason }];
}

async function runSuite(suite: Suite, place: Place): Promise<readonly CaseResult[]> {
  process.stdout.write(`${suite.name}: ${suite.caseNames().length} cases against ${place.url}\n`);
  const line = showProgress(suite.name, suite.caseNames().length);
  try {
    return await suite.run({ ...place, onProgress: line.update, signal: interruption.signal });
  } finally {
    line.end();
  }
}

function failure(name: string, output: string): CaseResult {
  return { name, outcome: 'failed', seconds: 0, output };
}

function conclude(results: readonly CaseResult[]): number {
  process.stdout.write(`${resultTable(results)}\n\n${closingLine(results)}\n`);
  if (interruption.signal.aborted) process.stderr.write('conformance: interrupted\n');
  return results.some((result) => result.outcome === 'failed') || interruption.signal.aborted ? 1 : 0;
}
