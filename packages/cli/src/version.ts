/** `amends version`. */
import { version } from '@amends/server/version';
import { Command } from 'commander';

export function versionCommand(): Command {
  return new Command('version')
    .description('print the versions of Amends and of Node')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExamples:\n  $ amends version\n  $ amends version --json')
    .action(({ json }: { json?: boolean }) => {
      const versions = { amends: version, node: process.versions.node };
      process.stdout.write(json ? `${JSON.stringify(versions)}\n` : `amends ${versions.amends}, Node ${versions.node}\n`);
    });
}
