/** The settings of all coordinators of one run. */
import type { CoordinatorOptions } from '@amends/coordinator';
import type { Chance } from '../world/random.ts';

/** How coordinators are set up; the same on all machines of a run. */
export type Settings = Required<
  Pick<
    CoordinatorOptions,
    'heartbeatEveryMs' | 'timeToLiveMs' | 'claimEveryMs' | 'recoveringMax' | 'liveMax' | 'perHostInFlightMax'
  >
>;

/** Draws settings, small bounds among them. */
export function drawSettings(chance: Chance): Settings {
  const timeToLiveMs = chance.pick([2_000, 3_500, 8_000]);
  return {
    heartbeatEveryMs: timeToLiveMs / 4,
    timeToLiveMs,
    claimEveryMs: chance.pick([500, 1_000]),
    recoveringMax: chance.pick([1, 3, 64]),
    liveMax: chance.pick([2, 20_000, 20_000]),
    perHostInFlightMax: chance.pick([1, 3, 128]),
  };
}
