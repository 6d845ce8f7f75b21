/** What applications of several modes draw alike. */
import type { RetryPolicy } from '@amends/core';
import { flooredPrefix, type Movement } from '../nodes/participant.ts';
import type { Chance } from '../world/random.ts';

/** A policy without an early end, or one that holds. */
export function drawRetry(chance: Chance): RetryPolicy {
  return {
    kind: chance.pick(['fixed', 'exponential']),
    delayMs: chance.whole(50, 2_000),
    delayMsMax: chance.whole(1_000, 12_000),
    attemptsMax: chance.yes(0.2) ? chance.whole(1, 4) : null,
    atEnd: 'hold',
  };
}

/** Some participants cannot take a compensation for what never ran. */
export function drawRunAhead(chance: Chance): { readonly runAhead?: false } {
  return chance.yes(0.2) ? { runAhead: false } : {};
}

/** One pays, another one gets it: as many movements, which add up to nothing. Each may be refused. */
export function drawTransfer(chance: Chance, count: number): readonly Movement[] {
  const still: Movement = { account: 'open', amount: 0, refusable: true, undoable: false };
  const amount = count < 2 ? 0 : chance.whole(1, 60);
  const account = chance.pick([`${flooredPrefix}a`, `${flooredPrefix}b`]);
  return Array.from({ length: count }, (_, index) => {
    if (index === 0) return { ...still, account, amount: -amount };
    return index === count - 1 ? { ...still, amount } : still;
  });
}
