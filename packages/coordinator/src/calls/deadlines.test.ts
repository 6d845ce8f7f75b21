import { expect, test } from 'vitest';
import { Deadlines, type Timed } from './deadlines.ts';

/** A call that notes when it is woken. */
function callWaking(wake: () => void): Timed {
  return { wakeSlot: -1, wakeAt: null, wake };
}

test('a call is woken when its time is over and not before; one that has ended is not', async () => {
  const deadlines = new Deadlines();
  const startedAt = performance.now();
  const woken: string[] = [];
  const ended = callWaking(() => woken.push('ended'));
  deadlines.set(ended, 10);
  deadlines.set(
    callWaking(() => woken.push('early')),
    20,
  );
  await new Promise<void>((resolve) => {
    deadlines.set(callWaking(resolve), 40);
    deadlines.clear(ended);
  });
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(40);
  expect(woken).toEqual(['early']);
});
