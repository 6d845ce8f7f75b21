/** What goes wrong and how often. Every run draws one mix of faults from its seed; healed, nothing goes wrong. */
import type { Chance } from './random.ts';

/** Probabilities per request, or milliseconds. */
export interface Faults {
  readonly store: StoreFaults;
  readonly wire: WireFaults;
  readonly participant: ParticipantFaults;
  readonly process: ProcessFaults;
}

/** The database and the connections to it. */
export interface StoreFaults {
  /** A request or its answer takes long. */
  readonly slow: number;
  /** Refused before any effect. */
  readonly unavailable: number;
  /** A commit answers `unknown`: after its effect, without any, or with the effect still to come. */
  readonly unknownApplied: number;
  readonly unknownNotApplied: number;
  readonly unknownAppliedLater: number;
  /** A claim is answered by an error, or never, and takes effect all the same: at once or later. */
  readonly claimAnswerLost: number;
  /** A commit is `refused`. */
  readonly refused: number;
  /** The whole database is down now and then. Mean pause between two outages; 0: never. */
  readonly outageEveryMs: number;
}

/** Between coordinators and participants. */
export interface WireFaults {
  readonly drop: number;
  readonly duplicate: number;
  /** Arrives long after its caller has given up. */
  readonly late: number;
  /** The connection breaks before the answer, at once. */
  readonly reset: number;
  readonly answerLost: number;
}

export interface ParticipantFaults {
  /** 409 for a business reason. */
  readonly refuse: number;
  /** 409 for a compensation or a step that must not be refused. */
  readonly refuseWrongly: number;
  /** 500 before or after the effect. */
  readonly errorBefore: number;
  readonly errorAfter: number;
  /** 425 several times, the effect with the last call or on its own in the meantime. */
  readonly ongoing: number;
  readonly slow: number;
  /** Mean pause between two times of being down; 0: never. */
  readonly downEveryMs: number;
}

/** What happens to coordinator processes. */
export interface ProcessFaults {
  /** Mean pause between two blows to one process; 0: none. */
  readonly blowEveryMs: number;
  /** Timers come late now and then. */
  readonly lateTimer: number;
}

/** Nothing goes wrong. */
export const noFaults: Faults = {
  store: {
    slow: 0,
    unavailable: 0,
    unknownApplied: 0,
    unknownNotApplied: 0,
    unknownAppliedLater: 0,
    claimAnswerLost: 0,
    refused: 0,
    outageEveryMs: 0,
  },
  wire: { drop: 0, duplicate: 0, late: 0, reset: 0, answerLost: 0 },
  participant: { refuse: 0, refuseWrongly: 0, errorBefore: 0, errorAfter: 0, ongoing: 0, slow: 0, downEveryMs: 0 },
  process: { blowEveryMs: 0, lateTimer: 0 },
};

/** The mixes of faults: which rooms of the house are on fire. */
export type Weather = 'calm' | 'participants' | 'wire' | 'storage' | 'processes' | 'storm';

/** Draws what the weather of this run is. */
export function drawWeather(chance: Chance): Weather {
  return chance.pickWeighted({ calm: 1, participants: 1, wire: 1, storage: 2, processes: 3, storm: 4 });
}

/** Draws the faults that belong to the weather; participants have a will of their own in any weather. */
export function drawFaults(chance: Chance, weather: Weather): Faults {
  const storm = weather === 'storm';
  const rate = (max: number) => (chance.yes(0.4) ? 0 : chance.between(0, max));
  const store: StoreFaults = {
    slow: rate(0.1),
    unavailable: rate(0.06),
    unknownApplied: rate(0.08),
    unknownNotApplied: rate(0.08),
    unknownAppliedLater: rate(0.05),
    claimAnswerLost: rate(0.15),
    refused: chance.yes(0.3) ? 0.03 : 0,
    outageEveryMs: chance.yes(0.5) ? chance.between(15_000, 60_000) : 0,
  };
  const wire: WireFaults = { drop: rate(0.1), duplicate: rate(0.15), late: rate(0.1), reset: rate(0.1), answerLost: rate(0.15) };
  const participant: ParticipantFaults = {
    refuse: rate(0.2),
    refuseWrongly: rate(0.05),
    errorBefore: rate(0.2),
    errorAfter: rate(0.15),
    ongoing: rate(0.2),
    slow: rate(0.2),
    downEveryMs: chance.yes(0.5) ? chance.between(10_000, 40_000) : 0,
  };
  const process: ProcessFaults = { blowEveryMs: chance.between(3_000, 25_000), lateTimer: rate(0.1) };
  return {
    store: storm || weather === 'storage' ? store : noFaults.store,
    wire: storm || weather === 'wire' ? wire : noFaults.wire,
    participant: weather === 'calm' ? { ...noFaults.participant, refuse: participant.refuse } : participant,
    process: storm || weather === 'processes' ? process : noFaults.process,
  };
}
