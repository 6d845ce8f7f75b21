/** Tells an example's stories: lets each happen, checks that it ended as told, and prints what happened. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AmendsClient } from '@amends/client';
import { forTerminal, terminalLines } from '@amends/server/terminal-text';
import type { Startable } from '../../tools/services/kinds.ts';
import { createServices, type Services } from '../../tools/services/running-services.ts';
import type { Example, Stage, Story } from './example.ts';
import { createStage } from './stage.ts';
import { paint, timeline } from './timeline.ts';

/** Prints one line. */
export type Print = (line: string) => void;

/** How stories are told. */
export interface Telling {
  readonly print: Print;
  /** Aborts when the program is stopped; how a story ends then is not reported. */
  readonly signal: AbortSignal;
}

/**
 * Tells all stories of an example on an open stage.
 * @returns how many did not end as told
 * @throws when it is stopped in the middle of one
 */
export async function tellStories<Name extends string>(
  example: Example<Name>,
  stage: Stage<Name>,
  telling: Telling,
): Promise<number> {
  let failed = 0;
  for (const story of example.stories) {
    const ok = await tellStory(story, stage, telling);
    if (!ok) failed += 1;
  }
  return failed;
}

async function tellStory<Name extends string>(story: Story<Name>, stage: Stage<Name>, telling: Telling): Promise<boolean> {
  const { print, signal } = telling;
  print('');
  print(`  ${paint('bold', story.title)}`);
  try {
    const { gid, state } = await story.play(stage);
    const [transaction, history] = await Promise.all([stage.amends.get(gid), stage.amends.history(gid)]);
    for (const line of timeline(forTerminal(transaction), forTerminal(history), stage.url)) print(line);
    for (const [name, value] of Object.entries(forTerminal(state))) print(`          ${name}: ${value}`);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    print(paint('red', `  ✘ did not end as told: ${terminalLines(reason)}`));
    return false;
  }
}

/** Exit codes of a story's program. */
const codes = { ok: 0, failed: 1, interrupted: 130 } as const;

/**
 * The program of each example's `story.ts`: starts its services, tells its stories, stops them, and exits with 1 if one failed.
 */
export async function tell<Name extends string>(example: Example<Name>): Promise<void> {
  const { server, ...given } = readOptions(example);
  const absence = await explainAbsence(server);
  if (absence !== null) return fail(absence);
  const databases = createServices({ installs: false });
  try {
    const found = await findDatabases(example, given, databases);
    if (typeof found === 'string') return fail(found);
    process.exitCode = await tellAt(server, example, found);
  } finally {
    await databases.stop();
  }
  process.exit();
}

function fail(reason: string): void {
  process.stderr.write(`${reason}\n`);
  process.exitCode = codes.failed;
}

/** `--server`, and an option for each database that the example needs. */
function readOptions({ databases = [] }: Pick<Example, 'databases'>) {
  const places = Object.fromEntries(databases.map((name) => [name, { type: 'string' } as const]));
  const { values } = parseArgs({ options: { server: { type: 'string', default: 'http://127.0.0.1:36789' }, ...places } });
  return values as { readonly server: string } & Partial<Record<Startable, string>>;
}

/**
 * The databases that an example needs: those that are named, and for the others ones that are started. @returns a text: what is
 * missing
 */
export async function findDatabases(
  { name, databases = [] }: Pick<Example, 'name' | 'databases'>,
  given: Partial<Record<Startable, string>>,
  services: Services,
): Promise<Partial<Record<Startable, string>> | string> {
  const found: Partial<Record<Startable, string>> = {};
  for (const database of databases) {
    const answer = given[database] === undefined ? await services.get(database) : { url: given[database] };
    if ('missing' in answer) return `${name} needs ${database}: ${answer.missing}`;
    found[database] = answer.url;
  }
  return found;
}

/** How long it is asked whether there is a coordinator at all. Milliseconds. */
const answersWithinMs = 1_500;

/** Why no story can be told there; null: a coordinator answers. */
async function explainAbsence(server: string): Promise<string | null> {
  const amends = new AmendsClient({ server, retry: { limitMs: 0 } });
  try {
    await amends.health({ signal: AbortSignal.timeout(answersWithinMs) });
    return null;
  } catch (error) {
    const reason = terminalLines(error instanceof Error ? error.message : String(error));
    return `no coordinator answers at ${server} (${reason}): start one with \`npx amends serve\`, or name another with --server`;
  } finally {
    await amends.close();
  }
}

/** @returns the exit code */
async function tellAt<Name extends string>(
  server: string,
  example: Example<Name>,
  databases: Partial<Record<Startable, string>>,
): Promise<number> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'amends-'));
  const crashed = Promise.withResolvers<never>();
  const stopped = new AbortController();
  const interrupted = new Promise<'interrupted'>((resolve) =>
    stopped.signal.addEventListener('abort', () => resolve('interrupted')),
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.abort());
  const amends = new AmendsClient({ server });
  const stage = createStage(example, {
    amends,
    server,
    dataFolder,
    logFolder: dataFolder,
    databases,
    onCrash: crashed.reject,
  });
  const play = async () => {
    await stage.open();
    return tellStories(example, stage, { print: console.log, signal: stopped.signal });
  };
  try {
    const failed = await Promise.race([play(), crashed.promise, interrupted]);
    if (failed === 'interrupted') return codes.interrupted;
    return failed === 0 ? codes.ok : codes.failed;
  } finally {
    await stage.close();
    await amends.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}
