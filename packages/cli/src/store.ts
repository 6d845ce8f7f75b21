/** `amends store`: care of a SQLite store, through the server that has it open, or of the file itself. */
import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, Option } from 'commander';
import { CommandError, exitCodes } from './explain.ts';
import { print, printJson } from './terminal.ts';

interface StoreOptions {
  readonly store?: string;
  readonly server: string;
  readonly json?: boolean;
}

export function storeCommand(): Command {
  return new Command('store')
    .description('copy a store, examine it, make its file small')
    .addCommand(backupCommand())
    .addCommand(verifyCommand())
    .addCommand(compactCommand())
    .addHelpText(
      'after',
      `
Examples:
  $ amends store backup /backup/amends-2030-01-31.db
  $ amends store verify /backup/amends-2030-01-31.db
  $ amends store compact --store /var/lib/amends/amends.db`,
    );
}

/** Loaded by whoever has a file to care for. */
const storeCare = () => import('@amends/server/store-care');

function withFile(command: Command): Command {
  const store = new Option('--store <path>', 'the file itself, which no server may have open: PATH or sqlite:PATH');
  return command.addOption(store).option('--json', 'print JSON, for programs');
}

function withPlace(command: Command): Command {
  const server = new Option('--server <url>', 'address of the server that has the store open')
    .env('AMENDS_SERVER')
    .default('http://127.0.0.1:36789');
  return withFile(command).addOption(server);
}

function backupCommand(): Command {
  return withPlace(new Command('backup'))
    .description('copy the store as of now into a new file, while its server goes on')
    .argument('<file>', 'the file, on this machine')
    .addHelpText(
      'after',
      `
The server is asked, which sends the copy. With --store the file is copied, which no server may have open; so is the
file in ./data, or the one that AMENDS_STORE names, where no server runs and none was named.

Examples:
  $ amends store backup amends-2030-01-31.db
  $ amends store backup amends-2030-01-31.db --store /var/lib/amends/amends.db`,
    )
    .action(async (file: string, options: StoreOptions, command: Command) => {
      await copyInto(file, options, command);
      const { transactions } = await verify(file, options).catch(async (error: unknown) => {
        await rm(file, { force: true });
        throw error;
      });
      if (!options.json) print(`${file} holds ${countText(transactions)}`);
    });
}

function verifyCommand(): Command {
  return withPlace(new Command('verify'))
    .description('read everything in a store or a backup, and say what is wrong; exit code 1: something is')
    .argument('[file]', 'a backup, or the file of a store that no server has open; left out: the store of the server, by a copy')
    .addHelpText(
      'after',
      '\nExamples:\n  $ amends store verify\n  $ amends store verify amends-2030-01-31.db\n  $ amends store verify --store /var/lib/amends/amends.db',
    )
    .action(async (file: string | undefined, options: StoreOptions, command: Command) => {
      const path = file ?? options.store;
      if (path === undefined) await verifyCopy(options, command);
      else await tell(pathOf(path), options);
    });
}

function compactCommand(): Command {
  return withFile(new Command('compact'))
    .description('write the file of a store anew, as small as it can be; no server may have it open')
    .addHelpText('after', '\nExample:\n  $ amends store compact --store /var/lib/amends/amends.db')
    .action(async ({ store = storeDefault(), json }: StoreOptions) => {
      const { bytesBefore, bytesAfter } = await (await storeCare()).compactStoreFile(pathOf(store));
      if (json) printJson({ bytesBefore, bytesAfter });
      else print(`${pathOf(store)}: ${bytesBefore} bytes before, ${bytesAfter} after`);
    });
}

/** As the option `store` of the server, or a path alone. */
function pathOf(text: string): string {
  return text.startsWith('sqlite:') ? text.slice('sqlite:'.length) : text;
}

/** The file that the server takes when it is not told otherwise. */
function storeDefault(): string {
  return process.env.AMENDS_STORE ?? './data/amends.db';
}

/** From the server, or from the file where that is named, or where no server runs and none was named. */
async function copyInto(file: string, { store, server }: StoreOptions, command: Command): Promise<void> {
  if (existsSync(file)) throw new CommandError(`${file} is there already; give another name, or remove it`);
  if (!existsSync(dirname(file))) throw new CommandError(`${dirname(file)} is not there; make the folder first`);
  if (store !== undefined) return (await storeCare()).backUpStoreFile(pathOf(store), file);
  const answer = await askServer(server);
  if (answer !== null) return keep(answer, file);
  const path = pathOf(storeDefault());
  if (command.getOptionValueSource('server') !== 'default' || !existsSync(path))
    throw new CommandError(`no server answers at ${server}; where none runs, name the file: --store PATH`);
  process.stderr.write(`amends: no server answers at ${server}: ${path} itself is read\n`);
  await (await storeCare()).backUpStoreFile(path, file);
}

/** The server's copy, under its name when it is whole. */
async function keep(answer: Response, file: string): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(Readable.fromWeb(answer.body!), createWriteStream(part, { mode: 0o600, flush: true }));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** null: nobody answers. */
async function askServer(server: string): Promise<Response | null> {
  const address = `${server.replace(/\/+$/, '')}/api/v1/backup`;
  const answer = await fetch(address).catch(() => null);
  if (answer === null || answer.ok) return answer;
  const { detail } = (await answer.json().catch(() => ({}))) as { readonly detail?: string };
  throw new CommandError(detail ?? `${address} answered ${answer.status}`);
}

async function verifyCopy(options: StoreOptions, command: Command): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'amends-verify-'));
  try {
    const copy = join(folder, 'copy.db');
    await copyInto(copy, options, command);
    await tell(copy, options, 'the store');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tell(path: string, options: StoreOptions, name: string = resolve(path)): Promise<void> {
  const { transactions, troubles } = await verify(path, options);
  if (!options.json && troubles.length === 0) print(`${name} is sound: ${countText(transactions)}`);
}

/** Reads a file to its end and says what is wrong with it. */
async function verify(path: string, { json }: StoreOptions) {
  const report = await (await storeCare()).verifyStoreFile(path);
  if (json) printJson({ file: resolve(path), ...report });
  else for (const trouble of report.troubles) print(trouble);
  if (report.troubles.length > 0) process.exitCode = exitCodes.failed;
  return report;
}

function countText(transactions: number): string {
  return transactions === 1 ? '1 transaction' : `${transactions} transactions`;
}
