/** The fault loop: kills one process at one boundary, for every process, every boundary and every passage, one at a time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Example } from '../../examples/stage/example.ts';
import type { Startable } from '../../tools/services/kinds.ts';
import type { Boundary, Death } from './boundary.ts';
import { createPool, type Pool } from './pool.ts';
import { openSystem, type System } from './system.ts';

/** A small story that can be told again and again, whoever dies in it. */
export interface Play<Name extends string> {
  readonly title: string;
  /** Whose deaths it is told with; left out: everybody's. */
  readonly targets?: readonly (Name | 'coordinator')[];
  /** Where they die; left out: at every boundary that they have. */
  readonly boundaries?: readonly Boundary[];
  /** How many passages of a boundary are played, where time makes more of them than matter; left out: all. */
  readonly passagesMax?: number;
  /** Services that it never calls. */
  readonly untouched?: readonly Name[];
  /** Lets it happen under a name of its own, insisting, and asserts that every invariant holds at the end. */
  run(system: System<Name>, id: string): Promise<void>;
}

const ofParticipants: readonly Boundary[] = ['before-commit', 'after-commit', 'before-answer', 'after-answer'];
const ofTheCoordinator: readonly Boundary[] = [...ofParticipants, 'before-call', 'after-call', 'before-claim', 'after-claim'];

/** More passages of one boundary than any play has. */
const passagesBound = 60;
/** Waiting for a system is in it, and on a busy machine that takes longest; a play that hangs fails by itself much sooner. */
const timeoutMs = 400_000;
/** A process that starts waits as much as it works, so several systems keep a core busy. */
const systemsAtOnce = 3;

/** Registers the tests of one example. */
export function exerciseFailpoints<Name extends string>(
  example: Example<Name>,
  plays: readonly Play<Name>[],
  databases: Readonly<Partial<Record<Startable, string>>> = {},
): void {
  describe.concurrent(example.name, { timeout: timeoutMs }, () => {
    let systems: Pool<System<Name>>;
    beforeAll(async () => {
      systems = createPool(await openSystems(example, databases));
    });
    afterAll(() => Promise.all(systems.all.map((system) => system.close())));

    const targets = ['coordinator', ...(Object.keys(example.services) as Name[])] as const;
    describe.each(plays)('$title', (play) => {
      it('ends well when nobody dies', () => systems.borrow((system) => playUndisturbed(system, play)));
      it.each(play.targets ?? targets)('ends well wherever %s dies', (target) =>
        systems.borrow((system) => playDisturbed(system, play, target)),
      );
    });
  });
}

/** One after the other, because they look for free ports. */
async function openSystems<Name extends string>(
  example: Example<Name>,
  databases: Readonly<Partial<Record<Startable, string>>>,
): Promise<System<Name>[]> {
  const systems: System<Name>[] = [];
  while (systems.length < systemsAtOnce) systems.push(await openSystem(example, databases));
  return systems;
}

async function playUndisturbed<Name extends string>(system: System<Name>, play: Play<Name>): Promise<void> {
  const deaths = system.deaths();
  await play.run(system, `${play.title}-undisturbed`);
  expect(system.deaths()).toBe(deaths);
}

/** Lets the target die at each passage of each boundary, once per run of the play. */
async function playDisturbed<Name extends string>(
  system: System<Name>,
  play: Play<Name>,
  target: Name | 'coordinator',
): Promise<void> {
  const reached: Failpoint<Name>[] = [];
  const { boundaries = target === 'coordinator' ? ofTheCoordinator : ofParticipants, passagesMax = Infinity } = play;
  for (const boundary of boundaries)
    for (let n = 1; n <= passagesMax && (await dies(system, play, { target, boundary, n })); n++)
      reached.push({ target, boundary, n });
  const untouched: readonly string[] = play.untouched ?? [];
  expect(reached.length === 0).toBe(untouched.includes(target));
}

interface Failpoint<Name> extends Death {
  readonly target: Name | 'coordinator';
}

/** A claim finds something only when a coordinator has died before: then it dies at the claim once more. */
function deathsAt({ boundary, n }: Death): readonly Death[] {
  const ofClaim = boundary === 'before-claim' || boundary === 'after-claim';
  return ofClaim
    ? [
        { boundary: 'after-commit', n },
        { boundary, n: 1 },
      ]
    : [{ boundary, n }];
}

/** Runs the play with one failpoint. @returns whether it was reached */
async function dies<Name extends string>(system: System<Name>, play: Play<Name>, failpoint: Failpoint<Name>): Promise<boolean> {
  const { target, boundary, n } = failpoint;
  const before = system.deaths();
  system.arm(target, deathsAt(failpoint));
  try {
    await play.run(system, `${play.title}-${target}-${boundary}-${n}`);
  } catch (error) {
    await system.whole();
    throw new Error(`${play.title}: ${target} died at ${boundary} ${n}`, { cause: error });
  }
  system.disarm(target);
  await system.whole();
  const reached = system.deaths() > before;
  expect(n, `passages of ${boundary}`).toBeLessThan(passagesBound);
  return reached;
}
