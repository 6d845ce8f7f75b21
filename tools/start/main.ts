/** The program behind `npm start`: see `--help`. Runs on the pinned Node; tools/start.mjs starts it. */

import { ServiceEnded } from '../../examples/stage/service.ts';
import { tellStories } from '../../examples/stage/tell.ts';
import { paint } from '../../examples/stage/timeline.ts';
import { invitation } from './invitation.ts';
import { help, readOptions, type StartOptions, UsageError } from './options.ts';
import { PlaceError } from './place.ts';
import { createSystem, type Staged, type System } from './system.ts';

const codes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options !== null) return await run(options);
    print(help);
    return codes.ok;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`${error.message}; see npm start -- --help`);
    return codes.usage;
  }
}

/** Runs until the stories are told, somebody stops it, or a process dies. @returns the exit code */
async function run(options: StartOptions): Promise<number> {
  const over = Promise.withResolvers<number>();
  let told = false;
  const stopped = new AbortController();
  const giveUp = (error: unknown) => {
    if (stopped.signal.aborted) return; // What was under way ends in errors, which is no news.
    complain(explain(error));
    over.resolve(codes.failed);
  };
  const system = createSystem(options, giveUp);
  whenStopped(() => over.resolve(told ? codes.ok : codes.interrupted));
  play(options, system, stopped.signal).then(({ staged, failed }) => {
    told = true;
    if (options.once || failed > 0) over.resolve(failed === 0 ? codes.ok : codes.failed);
    else print(invitation(options, staged));
  }, giveUp);
  const code = await over.promise;
  stopped.abort();
  await system.close();
  return code;
}

/** What has been told, and how many stories did not end as told. */
interface Told {
  readonly staged: readonly Staged[];
  readonly failed: number;
}

async function play(options: StartOptions, system: System, signal: AbortSignal): Promise<Told> {
  const staged = await system.open(print);
  print(`Coordinator at ${system.coordinator.url}`);
  let failed = 0;
  for (const { example, stage, open } of staged) {
    print(`\n${paint(['bold', 'underline'], example.name)}`);
    await open();
    failed += await tellStories(example, stage, { print, signal });
  }
  const total = options.examples.reduce((sum, { stories }) => sum + stories.length, 0);
  print(
    `\n${failed === 0 ? paint('green', `${total} stories, each ended as told.`) : paint('red', `${failed} of ${total} stories did not end as told.`)}`,
  );
  return { staged, failed };
}

/** Ctrl-C, a closed terminal, or the end of the process that started this one. */
function whenStopped(stop: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  process.on('disconnect', stop);
  process.channel?.unref();
  // Whoever read the output is gone: there is nobody left to tell stories to.
  process.stdout.on('error', stop);
  process.stderr.on('error', stop);
}

/** What the user can do something about is said in a sentence; anything else shows where it came from. */
function explain(error: unknown): string {
  if (error instanceof PlaceError || error instanceof ServiceEnded) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`\namends: ${text}\n`);
}
