/** `amends serve`: runs a coordinator until it is told to stop. */
import type { ConfigOption } from '@amends/server';
import { Command, Option } from 'commander';
import { exitCodes } from './explain.ts';
import { settleHeap } from './heap.ts';

type ServerPackage = typeof import('@amends/server');

/**
 * The command. Its flags, one for every option of the server, come with the server, which is loaded only where the command line
 * names this command: the others start without it.
 */
export async function serveCommand(argv: readonly string[]): Promise<Command> {
  const command = new Command('serve').description('run a coordinator: HTTP for DTM clients and the native API, with its store');
  return argv.includes(command.name()) ? withFlags(command, await import('@amends/server')) : command;
}

function withFlags(command: Command, server: ServerPackage): Command {
  const file = `read options from this YAML file (default: ${server.configFileDefault} if there is one)`;
  command.option('-c, --config <file>', file);
  for (const option of server.configOptions) command.addOption(makeFlag(option, server.defaultText(option)));
  return command.addHelpText('after', sources).action((flags: Record<string, unknown>) => serve(server, flags));
}

function makeFlag({ flag, kind, description, env, choices }: ConfigOption, ifLeftOut: string): Option {
  const wanted = kind === 'truth' ? (ifLeftOut === 'true' ? 'true|false' : '') : choices.join('|') || kind;
  const value = wanted === '' ? '' : ` <${wanted}>`;
  return new Option(`--${flag}${value}`, `${description.replaceAll('`', '')} (default: ${ifLeftOut}, ${env})`);
}

const sources = `
Each option can also be set by the environment variable named beside it, or in the YAML file by its name in camel case
(port: 4000, participants: { allow: [10.0.0.0/8] }). A flag wins over the environment, the environment over the file.
DTM's own variables and YAML keys (HTTP_PORT, REQUEST_TIMEOUT, RETRY_INTERVAL, LOG_LEVEL, STORE_DRIVER=boltdb, ...) are
understood where they mean the same.

Ctrl-C or SIGTERM stops it: new work is refused, calls in flight may end, what is unfinished goes on at the next start.

Examples:
  $ amends serve
  $ amends serve --host 127.0.0.1 --port 36789 --store sqlite:/var/lib/amends/amends.db
  $ amends serve --store memory: --log-format text
  $ AMENDS_PORT=4000 amends serve --config amends.yaml`;

async function serve(
  { configOptions, resolveConfig, startServer }: ServerPackage,
  { config: file, ...flags }: Record<string, unknown>,
): Promise<void> {
  const { config, warnings } = resolveConfig({
    flags: readTexts(configOptions, flags),
    env: process.env,
    ...(typeof file === 'string' ? { file } : {}),
  });
  for (const warning of warnings) process.stderr.write(`amends: ${warning}\n`);
  if (config.insecure)
    process.stderr.write(
      `amends: ${config.host} without authentication: whoever reaches the port may do everything (--insecure)\n`,
    );
  const server = await startServer(config);
  settleHeap();
  const how = await Promise.race([waitForStop(), server.lost]);
  if (typeof how === 'string') tellCalls(how, { calling: server.calling(), graceMs: config.stopGraceMs });
  await server.stop();
  if (typeof how === 'string') return;
  process.stderr.write(`amends: ${how.message}\n`);
  process.exitCode = exitCodes.failed;
}

/** Whoever stopped it at a terminal wonders why it is still there. */
function tellCalls(signal: NodeJS.Signals, { calling, graceMs }: { readonly calling: number; readonly graceMs: number }): void {
  if (calling === 0 || graceMs === 0) return;
  const calls = calling === 1 ? '1 call' : `${calling} calls`;
  const again = signal === 'SIGINT' ? 'Ctrl-C' : 'signal';
  process.stderr.write(
    `amends: stopping; ${calls} in flight may end within ${graceMs / 1_000} s. A second ${again} ends at once; what is stored goes on at the next start\n`,
  );
}

/** Commander gives flags in camel case; options of the server are named with dots. */
function readTexts(configOptions: ServerPackage['configOptions'], flags: Record<string, unknown>): Record<string, string> {
  const given = configOptions.flatMap((option) => {
    const value = flags[new Option(`--${option.flag}`).attributeName()];
    return value === undefined ? [] : [[option.name, String(value)] as const];
  });
  return Object.fromEntries(given);
}

/** Resolves at the first signal; at the second the process ends at once, which loses nothing that is durable. */
function waitForStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signals = 0;
    const heard = (signal: NodeJS.Signals) => {
      signals += 1;
      if (signals > 1) process.exit(exitCodes.interrupted);
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard);
  });
}
