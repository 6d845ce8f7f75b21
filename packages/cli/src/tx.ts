/** `amends tx`: looking at transactions and acting on them. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AmendsClient, ListFilters, Transaction, TransactionSummary } from '@amends/client';
import { forTerminal, terminalText } from '@amends/server/terminal-text';
import { Command, InvalidArgumentError, Option } from 'commander';
import { retryLines, terminateLines } from './act-lines.ts';
import { type AuditOptions, showAudit } from './audit.ts';
import { exitCodes } from './explain.ts';
import { historyLines } from './history-lines.ts';
import { type ServerOptions, withClient, withServerOptions } from './server-options.ts';
import { outcomeLine } from './standing.ts';
import { cut, print, printJson, table } from './terminal.ts';
import { picture } from './timeline.ts';

export function txCommand(): Command {
  return new Command('tx')
    .description('look at transactions and act on them')
    .addCommand(withServerOptions(listCommand()))
    .addCommand(withServerOptions(showCommand()))
    .addCommand(withServerOptions(watchCommand()))
    .addCommand(withServerOptions(retryCommand()))
    .addCommand(withServerOptions(terminateCommand()))
    .addCommand(withServerOptions(auditCommand()))
    .addHelpText(
      'after',
      `
Examples:
  $ amends tx list --held
  $ amends tx show EjXvZKv8OdpFX3jDqKglvS
  $ amends tx retry EjXvZKv8OdpFX3jDqKglvS --reason "the bank is up again"`,
    );
}

const statuses = ['prepared', 'submitted', 'aborting', 'succeed', 'failed'];

interface ListOptions extends ServerOptions {
  readonly status?: Transaction['status'];
  readonly held?: boolean;
  readonly limit: number;
}

function listCommand(): Command {
  return new Command('list')
    .description('list transactions, newest first')
    .addOption(new Option('--status <status>', 'only those with this status').choices(statuses))
    .option('--held', 'only those that wait for a human')
    .option('--limit <count>', 'as many rows at most', parseCount, 20)
    .addHelpText('after', '\nExamples:\n  $ amends tx list\n  $ amends tx list --held --json')
    .action((options: ListOptions) => withClient(options, (client) => list(client, options)));
}

async function list(client: AmendsClient, { status, held, limit, json }: ListOptions): Promise<void> {
  const filters: ListFilters = { limit: Math.min(limit, 1_000), ...(status ? { status } : {}), ...(held ? { held } : {}) };
  const rows = [];
  for await (const row of client.listAll(filters)) if (rows.push(row) >= limit) break;
  if (json) return printJson(rows);
  if (rows.length === 0) return print('no transactions');
  const cells = forTerminal(rows).map((row) => [
    cut(row.gid),
    standing(row),
    row.createdAt.replace('T', ' ').replace('Z', ''),
    row.outcome === 'running' ? row.errorPrint || row.reason : row.reason,
  ]);
  for (const line of table([['gid', 'status', 'created (UTC)', 'last error or reason'], ...cells])) print(line);
}

/** The status, and what a human should know beside it. */
function standing({ status, outcome, hold, overdueSince }: TransactionSummary): string {
  const isOverdue = overdueSince !== null && outcome === 'running';
  return `${status}${hold === null ? '' : ', held'}${isOverdue ? ', overdue' : ''}`;
}

function showCommand(): Command {
  return new Command('show')
    .description('draw what happened to a transaction')
    .argument('<gid>', 'the transaction')
    .addHelpText('after', '\nExample:\n  $ amends tx show EjXvZKv8OdpFX3jDqKglvS')
    .action((gid: string, options: ServerOptions) => withClient(options, (client) => show(client, gid, options)));
}

async function show(client: AmendsClient, gid: string, { json }: ServerOptions): Promise<void> {
  const [transaction, history] = await Promise.all([client.get(gid), client.history(gid)]);
  if (json) return printJson({ transaction, history });
  for (const line of picture(forTerminal(transaction), forTerminal(history))) print(line);
}

function watchCommand(): Command {
  return new Command('watch')
    .description('follow a transaction to its end; exit code 0: succeeded, 1: failed or terminated')
    .argument('<gid>', 'the transaction')
    .addHelpText('after', '\nExample:\n  $ amends tx watch EjXvZKv8OdpFX3jDqKglvS')
    .action((gid: string, options: ServerOptions) => withClient(options, (client) => watch(client, gid, options)));
}

/** How long one question waits for news; of one that is held the answer comes at once. Milliseconds. */
const newsWithinMs = 1_000;

async function watch(client: AmendsClient, gid: string, { json }: ServerOptions): Promise<void> {
  let transaction = await client.get(gid);
  for (let told = 0; ; ) {
    const news = await client.history(gid, { afterSeq: told });
    if (json) for (const entry of news) printJson(entry);
    else for (const line of historyLines(forTerminal(transaction), forTerminal(news))) print(line);
    told = news.at(-1)?.seq ?? told;
    if (transaction.outcome !== 'running' && news.length === 0) break;
    if (transaction.hold !== null && news.length === 0) await pause(newsWithinMs);
    transaction = await client.wait(gid, { waitMs: newsWithinMs });
  }
  if (!json) print(outcomeLine(forTerminal(transaction)));
  process.exitCode = transaction.outcome === 'succeeded' ? exitCodes.ok : exitCodes.failed;
}

interface ActOptions extends ServerOptions {
  readonly reason?: string;
  readonly expectedVersion?: number;
}

function auditCommand(): Command {
  return new Command('audit')
    .description('list what was done by hand, newest first; also of transactions that are deleted by now')
    .argument('[gid]', 'only what was done to this transaction')
    .option('--limit <count>', 'as many rows at most', parseCount, 20)
    .addHelpText('after', '\nExamples:\n  $ amends tx audit\n  $ amends tx audit EjXvZKv8OdpFX3jDqKglvS')
    .action((gid: string | undefined, options: AuditOptions) => withClient(options, (client) => showAudit(client, gid, options)));
}

function actCommand(name: string, { description, reason }: { readonly description: string; readonly reason: string }): Command {
  return new Command(name)
    .description(description)
    .argument('<gid>', 'the transaction')
    .option('--reason <text>', 'why; required, and recorded in its history')
    .option('--expected-version <version>', 'act only if it still has this version', parseCount)
    .addHelpText('after', `\nExample:\n  $ amends tx ${name} EjXvZKv8OdpFX3jDqKglvS --reason "${reason}"`);
}

function retryCommand(): Command {
  const description = 'try again at once what waits or is held';
  return actCommand('retry', { description, reason: 'the bank is up again' }).action(
    (gid: string, options: ActOptions, command: Command) => {
      const act = readAct(options, command);
      return withClient(options, async (client) => {
        const before = await client.get(gid);
        const after = await client.retry(gid, act);
        tell(after, options, retryLines(before, after));
      });
    },
  );
}

function terminateCommand(): Command {
  const description = 'end a transaction as it stands; nothing is undone';
  return actCommand('terminate', { description, reason: 'settled with the bank by phone' }).action(
    (gid: string, options: ActOptions, command: Command) => {
      const act = readAct(options, command);
      return withClient(options, async (client) => {
        const transaction = await client.terminate(gid, act);
        tell(transaction, options, terminateLines(transaction));
      });
    },
  );
}

/** Commander would ask for a required option before it asks for the gid. */
function readAct({ reason, expectedVersion }: ActOptions, command: Command) {
  if (reason === undefined)
    command.error("error: required option '--reason <text>' not specified", { code: 'commander.missingMandatoryOptionValue' });
  return { reason, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
}

function tell(transaction: Transaction, { json }: ServerOptions, did: readonly string[]): void {
  if (json) return printJson(transaction);
  for (const line of [...did.map(terminalText), outcomeLine(forTerminal(transaction))]) print(line);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.');
  return Number(text);
}
