/**
 * What clients see of a transaction never goes back: no answer shows an older state than one that left before it was asked for
 * (SIM-17).
 */
import type { TransactionView } from '@amends/coordinator';
import type { Gid } from '@amends/core';
import type { World } from '../world/world.ts';

export class SessionChecks {
  readonly #world: World;
  /** The newest version that has been shown, whichever node has. */
  readonly #shown = new Map<Gid, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A node is asked about a transaction. @returns what hears its answer */
  watch(gid: Gid): (answer: unknown) => void {
    const least = this.#shown.get(gid) ?? 0;
    return (answer) => {
      const version = viewIn(answer)?.transaction.version;
      if (version === undefined) return;
      if (version < least)
        this.#world.report('SIM-17', `${gid}: version ${version} is shown to who asked after version ${least} had been shown`);
      this.#shown.set(gid, Math.max(version, this.#shown.get(gid) ?? 0));
    };
  }
}

/** The transaction that an answer shows; undefined: none. */
function viewIn(answer: unknown): TransactionView | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  if ('transaction' in answer) return answer as TransactionView;
  return 'view' in answer ? viewIn(answer.view) : undefined;
}
