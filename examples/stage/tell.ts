/** Tells an example's stories: lets each happen, checks that it ended as told, and prints what happened. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AmendsClient } from '@amends/client';
import type { Example, Stage, Story } from './example.ts';
import { freePorts } from './ports.ts';
import { createStage } from './stage.ts';
import { paint, timeline } from './timeline.ts';

/** Prints one line. */
export type Print = (line: string) => void;

/**
 * Tells all stories of an example on an open stage.
 * @returns how many did not end as told
 */
export async function tellStories<Name extends string>(
  example: Example<Name>,
  stage: Stage<Name>,
  print: Print,
): Promise<number> {
  let failed = 0;
  for (const story of example.stories) {
    const ok = await tellStory(story, stage, print);
    if (!ok) failed += 1;
  }
  return failed;
}

async function tellStory<Name extends string>(story: Story<Name>, stage: Stage<Name>, print: Print): Promise<boolean> {
  print('');
  print(`  ${paint('bold', story.title)}`);
  try {
    const { gid, state } = await story.play(stage);
    const [transaction, history] = await Promise.all([stage.amends.get(gid), stage.amends.history(gid)]);
    for (const line of timeline(transaction, history, stage.url)) print(line);
    for (const [name, value] of Object.entries(state)) print(`          ${name}: ${value}`);
    return true;
  } catch (error) {
    print(paint('red', `  ✘ did not end as told: ${error instanceof Error ? error.message : String(error)}`));
    return false;
  }
}

/** The program of each example's `story.ts`: starts its services, tells its stories, stops them, and exits with 1 if one failed. */
export async function tell<Name extends string>(example: Example<Name>): Promise<void> {
  const { values } = parseArgs({ options: { server: { type: 'string', default: 'http://127.0.0.1:36789' } } });
  const dataFolder = mkdtempSync(join(tmpdir(), 'amends-'));
  const crashed = Promise.withResolvers<never>();
  const stage = createStage(example, {
    amends: new AmendsClient({ server: values.server }),
    server: values.server,
    dataFolder,
    logFolder: dataFolder,
    firstPort: await freePorts(Object.keys(example.services).length),
    onCrash: crashed.reject,
  });
  try {
    await stage.open();
    const failed = await Promise.race([tellStories(example, stage, console.log), crashed.promise]);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    await stage.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}
