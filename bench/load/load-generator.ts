/** The load generator as the bench sees it. */
import { join } from 'node:path';
import type { Crew } from '../processes/crew.ts';
import type { LoadMessage, LoadOrder, LoadResult } from './load.ts';

/** Puts load on servers, one order after the other. */
export interface LoadGenerator {
  /**
   * @param onProgress hears how many sagas have been answered so far
   * @throws Error when the server closes a connection or leaves requests unanswered
   */
  run(order: LoadOrder, onProgress?: (sagas: number) => void): Promise<LoadResult>;
  /** Has the order under way end before its time. */
  stop(): void;
}

/** Starts the process. */
export async function startLoadGenerator(crew: Crew): Promise<LoadGenerator> {
  const member = crew.start({ name: 'load', args: [join(import.meta.dirname, 'load.ts')] });
  await member.message<LoadMessage>();
  return {
    stop: () => member.send('stop'),
    async run(order, onProgress = () => {}) {
      const over = Promise.withResolvers<LoadResult>();
      const deaf = member.listen<LoadMessage>((message) => {
        if ('sagas' in message) onProgress(message.sagas);
        else if ('result' in message) over.resolve(message.result);
        else if ('failure' in message) over.reject(new Error(message.failure));
      });
      member.send(order);
      return Promise.race([over.promise, member.lost]).finally(deaf);
    },
  };
}
