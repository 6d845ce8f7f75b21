/** Which server a command asks, and in whose name. */
import { userInfo } from 'node:os';
import { AmendsClient } from '@amends/client';
import { type Command, Option } from 'commander';

/** The options as parsed. */
export interface ServerOptions {
  readonly server: string;
  readonly json?: boolean;
}

/** Adds `--server` and `--json`. */
export function withServerOptions(command: Command): Command {
  const server = new Option('--server <url>', 'address of the coordinator')
    .env('AMENDS_SERVER')
    .default('http://127.0.0.1:36789');
  return command.addOption(server).option('--json', 'print JSON, for programs');
}

/** Commands fail soon: somebody is waiting. Milliseconds. */
const insistsForMs = 2_000;

/** Runs with a client that is closed afterwards. */
export async function withClient<T>({ server }: ServerOptions, run: (client: AmendsClient) => Promise<T>): Promise<T> {
  const client = new AmendsClient({ server, actor: actor(), retry: { limitMs: insistsForMs } });
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}

function actor(): string {
  return process.env.AMENDS_ACTOR ?? userInfo().username;
}
