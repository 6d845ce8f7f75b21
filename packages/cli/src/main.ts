/** The `amends` command. */
import { version } from '@amends/server/version';
import { Command, CommanderError } from 'commander';
import { benchCommand } from './bench.ts';
import { exitCodes, explain } from './explain.ts';
import { serveCommand } from './serve.ts';
import { storeCommand } from './store.ts';
import { txCommand } from './tx.ts';
import { versionCommand } from './version.ts';

const program = new Command('amends')
  .description('Amends: distributed transactions that end with all of it done or all of it undone.')
  .version(version, '-V, --version', 'print the version')
  .addHelpText(
    'after',
    `
Examples:
  $ amends serve                                   a coordinator on 127.0.0.1:36789 with its store in ./data
  $ amends serve --store memory: --port 4000       one that forgets everything when it ends
  $ amends tx list --held                          what needs attention
  $ amends tx show GID                             what happened to a transaction
  $ amends store backup FILE                       copy its store while it runs
  $ amends bench --seconds 10                      load a running coordinator`,
  )
  .addCommand(await serveCommand(process.argv))
  .addCommand(txCommand())
  .addCommand(storeCommand())
  .addCommand(benchCommand())
  .addCommand(versionCommand());
explainMistakes(program, 'amends');

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else {
    process.stderr.write(`amends: ${explain(error)}\n`);
    process.exitCode = exitCodes.failed;
  }
}

/** A mistake in the use of a command, however deep, names the help of that command and comes back as an error. */
function explainMistakes(command: Command, path: string): void {
  command.exitOverride().showHelpAfterError(`(${path} --help tells more)`);
  for (const inner of command.commands) explainMistakes(inner, `${path} ${inner.name()}`);
}
