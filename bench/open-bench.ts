/** Everything that scenarios need, opened together and gone together. */
import { join } from 'node:path';
import { createCrew } from './crew.ts';
import { startLoadGenerator } from './load-generator.ts';
import type { BenchOptions } from './options.ts';
import type { ParticipantUrls } from './participants.ts';
import type { Progress } from './progress.ts';
import type { Bench } from './scenario.ts';
import { openScratch } from './scratch.ts';

/** Opens a bench, has `use` work with it, and leaves no process and no folder behind. @param signal ends it early */
export async function withBench<T>(
  { options, progress, signal }: { options: BenchOptions; progress: Progress; signal: AbortSignal },
  use: (bench: Bench) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const scratch = openScratch();
  const crew = createCrew(scratch.folder);
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const work = open().then((opened) => use({ options, progress, scratch, crew, ...opened }));
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    await crew.close();
    scratch.remove();
    progress.end();
  }

  async function open(): Promise<Pick<Bench, 'load' | 'participants'>> {
    const member = crew.start({ name: 'participants', args: [join(import.meta.dirname, 'participants.ts')] });
    const [load, participants] = await Promise.all([startLoadGenerator(crew), member.message<ParticipantUrls>()]);
    return { load, participants };
  }
}
