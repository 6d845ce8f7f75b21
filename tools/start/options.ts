/** What `npm start` can be told on its command line. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bankTransfer } from '../../examples/bank-transfer/story.ts';
import { cacheConsistency } from '../../examples/cache-consistency/story.ts';
import { flashSale } from '../../examples/flash-sale/story.ts';
import { hospitalBooking } from '../../examples/hospital-booking/story.ts';
import { orderFulfilment } from '../../examples/order-fulfilment/story.ts';
import type { Example } from '../../examples/stage/example.ts';
import { tccTransfer } from '../../examples/tcc-transfer/story.ts';
import { workflowBooking } from '../../examples/workflow-booking/story.ts';
import { xaTransfer } from '../../examples/xa-transfer/story.ts';

/** The root of the repository. */
export const root = join(import.meta.dirname, '..', '..');

const examples: readonly Example[] = [
  bankTransfer,
  orderFulfilment,
  hospitalBooking,
  tccTransfer,
  workflowBooking,
  flashSale,
  cacheConsistency,
  xaTransfer,
];
/** What a machine with Node alone can run. */
const withoutDatabases = examples.filter(({ databases = [] }) => databases.length === 0);
/** The next one is for gRPC. */
const portMax = 65_534;

export interface StartOptions {
  /** End after the stories. */
  readonly once: boolean;
  readonly examples: readonly Example[];
  /** Port of the coordinator; the next one is for gRPC. */
  readonly port: number;
  readonly dataFolder: string;
}

/** A command line that cannot be followed; its message says why. */
export class UsageError extends Error {}

/** What `--help` prints. */
export const help = `npm start -- [options]

Starts a coordinator with its SQLite store, and example systems as separate processes with databases of their own; tells
their stories; then stays up until Ctrl-C.

  --once          end after the stories: 0 when each ended as told, 1 otherwise
  --story NAME    only this example; may be repeated: ${withoutDatabases.map(({ name }) => name).join(', ')};
                  with a database, which is started too: ${examples
                    .filter(({ databases = [] }) => databases.length > 0)
                    .map(({ name, databases = [] }) => `${name} (${databases.join(', ')})`)
                    .join(', ')}
  --port PORT     port of the coordinator, default 36789; the next one is for gRPC, the examples' services take
                  free ones
  --data FOLDER   where databases and logs live, default ./data
  --help          this text
`;

/**
 * Reads the command line; null: help is asked for.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): StartOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const port = portIn(values.port);
  for (const name of values.story) {
    if (!examples.some((example) => example.name === name))
      throw new UsageError(
        `--story ${name}: there is no such example; there are ${examples.map((each) => each.name).join(', ')}`,
      );
  }
  if (values.data === '') throw new UsageError('--data: must name a folder');
  return {
    once: values.once,
    examples: values.story.length === 0 ? withoutDatabases : examples.filter(({ name }) => values.story.includes(name)),
    port,
    dataFolder: resolve(root, values.data),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        story: { type: 'string', multiple: true, default: [] },
        port: { type: 'string', default: '36789' },
        data: { type: 'string', default: 'data' },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function portIn(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > portMax)
    throw new UsageError(`--port ${text}: must be a whole number from 1 to ${portMax}`);
  return port;
}
