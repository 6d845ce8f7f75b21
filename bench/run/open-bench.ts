/** Everything that scenarios need, opened together and gone together. */
import { join } from 'node:path';
import { startLoadGenerator } from '../load/load-generator.ts';
import type { ParticipantUrls } from '../load/participants.ts';
import { createCrew } from '../processes/crew.ts';
import { openScratch } from '../processes/scratch.ts';
import type { Bench, BenchOptions } from './bench.ts';
import type { Progress } from './progress.ts';

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
    const member = crew.start({ name: 'participants', args: [join(import.meta.dirname, '..', 'load', 'participants.ts')] });
    const [load, participants] = await Promise.all([startLoadGenerator(crew), member.message<ParticipantUrls>()]);
    return { load, participants };
  }
}
