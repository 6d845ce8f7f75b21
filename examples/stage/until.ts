/** Waits for something by asking for it. */
import { setTimeout } from 'node:timers/promises';

const waitMsMax = 20_000;
const pauseMs = 20;

/**
 * Asks again and again until there is something.
 * @param what is awaited, for the error when it does not come
 * @returns the first answer that is neither false nor undefined
 */
export async function until<Answer>(what: string, ask: () => Promise<Answer | false | undefined>): Promise<Answer> {
  const deadline = performance.now() + waitMsMax;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${waitMsMax / 1_000} s`);
    await setTimeout(pauseMs);
  }
}
